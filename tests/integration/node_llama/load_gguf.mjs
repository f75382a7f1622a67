// Loads a GGUF file with the real llama.cpp and continues raw prompts greedily, without a chat template.
//
// node load_gguf.mjs PACKAGE GGUF PROMPTS.json OUT.json: PACKAGE is the folder of node-llama-cpp (run.sh knows it).
// PROMPTS.json: {"max_tokens": 24, "prompts": [{"text": "..."} or {"ids": [...]}, ...],
// "score": [{"ids": [...], "from": 32}, ...], "context": 1024}. Special strings are parsed, no BOS is added.
// OUT.json: {"llama_cpp": "b1234", "train_context": 8192, "completions": [{"prompt_ids", "ids", "text"}, ...],
// "scores": [[...], ...]}: what was generated, the end token included in ids; the negative log-likelihoods of each
// sequence's ids from the place "from" on.
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

async function score(sequence, {ids, from}) {
  await sequence.clearHistory();
  // All tokens stay in the running.
  const next = {generateNext: {probabilities: true, options: {temperature: 1, topK: 0, topP: 1, minP: 0, seed: 1}}};
  const input = ids.slice(0, -1).map((id, i) => (i + 1 >= from ? [id, next] : id));
  const output = await sequence.controlledEvaluate(input);
  return ids.slice(from).map((id, i) => -Math.log(output[from - 1 + i].next.probabilities.get(id)));
}

const request = JSON.parse(await readFile(promptsPath, "utf8"));
const llama = await getLlama({build: "never", gpu: false, logLevel: LlamaLogLevel.warn});
const model = await llama.loadModel({modelPath: ggufPath, gpuLayers: 0, checkTensors: true});
const context = await model.createContext({contextSize: request.context ?? 1024, threads: 2});
const completions = [];
for (const prompt of request.prompts) completions.push(await complete(model, context, prompt, request.max_tokens));
const scores = [];
if (request.score?.length > 0) {
  const sequence = context.getSequence();
  for (const one of request.score) scores.push(await score(sequence, one));
}
const answer = {llama_cpp: llama.llamaCppRelease.release, train_context: model.trainContextSize, completions, scores};
await writeFile(outPath, JSON.stringify(answer, null, 1) + "\n");
await llama.dispose();
