// Loads a GGUF file with the real llama.cpp and continues raw prompts greedily, without a chat template.
//
// node load_gguf.mjs PACKAGE GGUF PROMPTS.json OUT.json: PACKAGE is the folder of node-llama-cpp (run.sh knows it).
// PROMPTS.json: {"max_tokens": 24, "prompts": [{"text": "..."} or {"ids": [...]}, ...]}. Special strings are parsed, no
// BOS is added.
// OUT.json: {"llama_cpp": "b1234", "train_context": 8192, "completions": [{"prompt_ids", "ids", "text"}, ...]}: what was
// generated, the end token included in ids.
import {readFile, writeFile} from "node:fs/promises";
import {join, resolve} from "node:path";
import {pathToFileURL} from "node:url";

const [packagePath, ggufPath, promptsPath, outPath] = process.argv.slice(2);
if (outPath === undefined) {
  console.error("usage: load_gguf.mjs PACKAGE GGUF PROMPTS.json OUT.json");
  process.exit(2);
}

const {LlamaLogLevel, getLlama} = await import(pathToFileURL(join(resolve(packagePath), "dist/index.js")));

async function complete(model, context, prompt, maxTokens) {
  const promptIds = prompt.ids ?? model.tokenize(prompt.text, true);
  const sequence = context.getSequence();
  const ids = [];
  for await (const token of sequence.evaluate(promptIds, {temperature: 0, yieldEogToken: true})) {
    ids.push(token);
    if (ids.length >= maxTokens || model.isEogToken(token)) break;
  }
  sequence.dispose();
  return {prompt_ids: promptIds, ids, text: model.detokenize(ids, false, promptIds)};
}

const request = JSON.parse(await readFile(promptsPath, "utf8"));
const llama = await getLlama({build: "never", gpu: false, logLevel: LlamaLogLevel.warn});
const model = await llama.loadModel({modelPath: ggufPath, gpuLayers: 0, checkTensors: true});
const context = await model.createContext({contextSize: 1024, threads: 2});
const completions = [];
for (const prompt of request.prompts) completions.push(await complete(model, context, prompt, request.max_tokens));
const answer = {llama_cpp: llama.llamaCppRelease.release, train_context: model.trainContextSize, completions};
await writeFile(outPath, JSON.stringify(answer, null, 1) + "\n");
await llama.dispose();
