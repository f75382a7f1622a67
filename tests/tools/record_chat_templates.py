#!/usr/bin/env python3
"""Records what Jinja, set up as transformers sets it up, makes of chat templates: for core/chat.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install jinja2
  /tmp/venv/bin/python tests/tools/record_chat_templates.py tests/fixtures/chat_templates.json

The templates are written after those of the model families they are named for; the features try single things.
"""
import datetime
import json
import sys

import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATES = {
    "smollm2": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
               "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
               "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
               "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
              "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
              "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
              "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "qwen2.5": """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {{- tools | tojson }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "tool" %}
        {{- raise_exception('no tools') }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "qwen3": """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == "assistant" and '</think>' in message.content %}
        {%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}
    {%- else %}
        {%- set content = message.content %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
{%- endfor %}
{{- ns.last_query_index }}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}""",
    "gemma": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
             "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
             "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
             "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}"
             "{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
             "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
    "mistral": "{%- if messages[0][\"role\"] == \"system\" %}\n    {%- set system_message = messages[0][\"content\"] %}\n"
               "    {%- set loop_messages = messages[1:] %}\n{%- else %}\n    {%- set loop_messages = messages %}\n{%- endif %}\n"
               "{%- set user_messages = loop_messages | selectattr(\"role\", \"equalto\", \"user\") | list %}\n"
               "{{- bos_token }}\n{%- for message in loop_messages %}\n    {%- if message[\"role\"] == \"user\" %}\n"
               "        {%- if loop.last and system_message is defined %}\n"
               "            {{- \"[INST] \" + system_message + \"\\n\\n\" + message[\"content\"] + \"[/INST]\" }}\n"
               "        {%- else %}\n            {{- \"[INST] \" + message[\"content\"] + \"[/INST]\" }}\n        {%- endif %}\n"
               "    {%- else %}\n        {{- \" \" + message[\"content\"]|trim + eos_token}}\n    {%- endif %}\n{%- endfor %}\n"
               "{{- user_messages|length }}\n",
    "phi3": "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
            "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
            "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
    "whitespace": "a\n  {% if true %}\nb\n  {% endif %}\nc {# gone #}\n  {# gone #}\n{{- 'd' -}}  \n e\n\n",
    "values": "{{ 1 + 2 * 3 - 4 }} {{ 7 // 2 }} {{ 7 % 3 }} {{ 'a' ~ 1 ~ true ~ none }} {{ not false and 2 < 3 }} {{ -1 }} "
              "{{ [1, 'x', {'k': [true]}] | tojson }} {{ {'a': 1}.items() | list | length }} {{ 'x' if false }}|{{ undefined_name }}|"
              "{{ 'abc'[1] }}{{ 'abcdef'[1:4] }}{{ 'abc'[::-1] }}{{ [1,2,3][-1] }} {{ range(3) | join('-') }} {{ 'a' in 'cab' }} "
              "{{ 3 not in [1, 2] }} {{ 'x' is string and 3 is number and none is none }} {{ messages | map(attribute='role') | join(',') }} "
              "{{ 'Abc' | upper | lower | capitalize }} {{ ' x ' | trim }} {{ 'a-b' | replace('-', '+') }} {{ nothing | default('d') }} "
              "{{ 'a,b'.split(',') | last }} {{ 2 > 1 == true }} {{ ('p' 'q') }} {{ 1.5 * 2 }}",
    "loops": "{% for a, b in [[1, 2], [3, 4]] %}{{ loop.index }}{{ a }}{{ b }}{{ loop.last }};{% endfor %}"
             "{% for m in messages if m.role == 'user' %}{{ loop.length }}{{ m.content }}{% endfor %}"
             "{% set x = 1 %}{% for i in range(2) %}{% set x = 5 %}{% endfor %}{{ x }}"
             "{% for i in [1,2] %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "llama3.1": """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|header|>system<|end|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: python\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot|>" }}
{%- if tools is not none and messages | length != 0 %}
    {%- set first_user_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
    {{- "<|header|>user<|end|>\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot|>" }}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|header|>' + message['role'] + '<|end|>\\n\\n' + message['content'] | trim + '<|eot|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|header|>assistant<|end|>\\n\\n' }}
{%- endif %}
""",
    "mistral-small": """{%- set today = strftime_now("%Y-%m-%d") %}
{%- set default_system = "You are careful.\\nThe date is " + today + "." %}
{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- if messages[0]['content'] is string %}
        {%- set system_message = messages[0]['content'] %}
    {%- else %}
        {%- set system_message = messages[0]['content'][0]['text'] %}
    {%- endif %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = default_system %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '[SYSTEM_PROMPT]' + system_message + '[/SYSTEM_PROMPT]' }}
{%- for message in loop_messages %}
    {%- if message['role'] == 'user' %}
        {{- '[INST]' + message['content'] + '[/INST]' }}
    {%- elif message['role'] == 'assistant' %}
        {{- message['content'] + eos_token }}
    {%- else %}
        {{- raise_exception('Only user, system and assistant roles are supported!') }}
    {%- endif %}
{%- endfor %}""",
    "gemma3": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\n\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate") }}
    {%- endif -%}
    {%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%}
""",
    "deepseek-r1": "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
                   "{% set ns = namespace(is_first=false, is_tool=false, system_prompt='') %}{%- for message in messages %}"
                   "{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}"
                   "{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}"
                   "{%- set ns.is_tool = false -%}{{'<User>' + message['content']}}{%- endif %}"
                   "{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}"
                   "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}"
                   "{{'<Assistant>' + content + eos_token}}{%- endif %}{%- endfor -%}"
                   "{% if ns.is_tool %}{{'<end>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<Assistant><think>\\n'}}{% endif %}",
    "granite-rag": """{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content'] %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set system_message = "Knowledge Cutoff Date: April 2024.\nToday's Date: " + strftime_now('%B %d, %Y') + ".\nYou are helpful." %}
  {%- if tools and documents %}{%- set system_message = system_message + " Tools and documents." %}
  {%- elif documents %}{%- set system_message = system_message + " Documents." %}{%- endif %}
{%- set loop_messages = messages %}{%- endif %}
{{- '<|role|>system<|/role|>' + system_message + eos_token + '\n' }}
{%- if documents %}
{%- for document in documents %}
{{- '<|role|>document ' + document['title'] | tojson + '<|/role|>\n' + document['text'] + eos_token + '\n' }}
{%- endfor %}
{%- endif %}
{%- for message in loop_messages %}
{{- '<|role|>' + message['role'] + '<|/role|>' + message['content'] + eos_token + '\n' }}
{%- if loop.last and add_generation_prompt %}{{- '<|role|>assistant<|/role|>' }}{%- endif %}
{%- endfor %}""",
    "tool-types": """{%- macro type_of(spec, required) -%}
    {%- if spec.type == "array" -%}
        {{- type_of(spec['items'], true) + "[]" -}}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string -%}
        {{- spec.type | join(" | ") -}}
    {%- elif spec.type == "object" -%}
        {{- "{\n" -}}
        {%- for name, one in spec.properties.items() -%}
            {{- name -}}{%- if name not in (spec.required or []) -%}?{%- endif -%}: {{ type_of(one, true) -}}
            {%- if not loop.last -%},{%- endif %}
{% endfor -%}
        }
    {%- elif spec.enum -%}
        {{- '"' + spec.enum | join('" | "') + '"' -}}
    {%- else -%}
        {{- spec.type -}}
    {%- endif -%}
{%- endmacro -%}
{%- if tools %}
    {%- for tool in tools %}
        {%- set tool = tool.function %}
type {{ tool.name }} = (_: {{ type_of(tool.parameters, true) }}) => any;
    {%- endfor %}
{%- else %}
no tools
{%- endif %}
{%- for message in messages %}
    {%- if loop.index0 > 1 %}{% break %}{% endif %}
    {%- if message.role == 'system' %}{% continue %}{% endif %}
{{ message.role }}: {{ message.content }}
{%- endfor %}""",
    "training": """{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}{{ '<|im_end|>' }}{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}
{% endfor %}""",
    "zephyr-crlf": "{% for message in messages %}\r\n{% if message['role'] == 'user' %}\r\n{{ '<|user|>\n' + message['content'] + eos_token }}\r\n"
                   "{% elif message['role'] == 'system' %}\r\n{{ '<|system|>\n' + message['content'] + eos_token }}\r\n"
                   "{% elif message['role'] == 'assistant' %}\r\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\r\n{% endif %}\r\n"
                   "{% if loop.last and add_generation_prompt %}\r\n{{ '<|assistant|>' }}\r\n{% endif %}\r\n{% endfor %}",
    "llama2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}"
              "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
              "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
              "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
              "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
              "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}"
              "{% endif %}{% endfor %}",
    "phi4": "{% for message in messages %}{% if (message['role'] == 'system') %}{{'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'}}"
            "{% elif (message['role'] == 'user') %}{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}"
            "{% elif (message['role'] == 'assistant') %}{{'<|im_start|>assistant<|im_sep|>' + message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}",
}

FEATURES = [
    '{{ 1 + 2 * 3 - 4 }}',
    '{{ 7 // 2 }}',
    '{{ -7 // 2 }}',
    '{{ 7 % 3 }}',
    '{{ -7 % 3 }}',
    '{{ 2 ** 5 }}',
    '{{ 7 / 2 }}',
    '{{ 4 / 2 }}',
    '{{ 1.5 * 2 }}',
    '{{ 10 / 4 }}',
    "{{ 'a' ~ 1 ~ true ~ none ~ 1.5 ~ [1, 'x'] ~ {'a': none} }}",
    '{{ true }}',
    '{{ false }}',
    '{{ none }}',
    '{{ None }}',
    '{{ True }}',
    '{{ 1.0 }}',
    '{{ 1e3 }}',
    '{{ 1e16 }}',
    '{{ 0.1 + 0.2 }}',
    '{{ 1e-7 }}',
    '{{ 100000000000000000000 }}',
    '{{ [1, \'a\', "it\'s", true, none, 1.5, {\'k\': [1]}] }}',
    "{{ (1, 'a') }}",
    '{{ (1,) }}',
    '{{ {} }}',
    '{{ [] }}',
    "{{ {'a': 1, 'b': 'x'} }}",
    '{{ undefined_name }}',
    '{{ undefined_name.x }}',
    "{{ undefined_name + 'x' }}",
    "{{ undefined_name ~ 'x' }}",
    '{{ undefined_name | length }}',
    '{{ undefined_name | trim }}',
    "{{ undefined_name | default('d') }}",
    "{{ none | default('d') }}",
    "{{ none | default('d', true) }}",
    "{{ '' | default('d', boolean=true) }}",
    "{% for x in undefined_name %}x{% endfor %}{{ 'x' in undefined_name }}{{ undefined_name == undefined_name }}{{ undefined_name == none }}{{ not undefined_name }}{{ undefined_name is none }}{{ undefined_name is defined }}",
    '{{ undefined_name < 1 }}',
    '{{ undefined_name[0] }}',
    '{{ undefined_name() }}',
    '{{ messages[9] }}',
    '{{ messages[0].nosuch }}',
    "{{ messages[0]['nosuch'] }}",
    '{{ messages[0].nosuch.deeper }}',
    '{{ messages[0].nosuch is defined }}',
    '{{ messages[0].content is string }}',
    '{{ messages is sequence }}',
    "{{ 'abc' is sequence }}",
    "{{ 'abc' is iterable }}",
    '{{ messages[0] is mapping }}',
    '{{ messages[0] is sequence }}',
    '{{ messages[0] is iterable }}',
    '{{ 3 is sequence }}',
    '{{ 3 is iterable }}',
    '{{ none is iterable }}',
    '{{ messages is mapping }}',
    '{{ 3 is number }}',
    '{{ true is number }}',
    '{{ 3.5 is float }}',
    '{{ 3 is integer }}',
    '{{ true is integer }}',
    '{{ true is boolean }}',
    '{{ 1 is boolean }}',
    '{{ none is none }}',
    '{{ undefined_name is undefined }}',
    '{{ undefined_name is sequence }}',
    '{{ undefined_name is iterable }}',
    '{{ messages[1:] is sequence }}',
    '{{ (1,2) is sequence }}',
    '{{ 3 is odd }}',
    '{{ 4 is even }}',
    '{{ 9 is divisibleby 3 }}',
    '{{ 9 is divisibleby(2) }}',
    "{{ 'x' is eq 'x' }}",
    "{{ 'x' is in ['x', 'y'] }}",
    "{{ 'z' is not in 'xyz' }}",
    "{{ 'a' is in {'a': 1} }}",
    '{{ 3 is in (1,2,3) }}',
    '{{ none is sameas none }}',
    "{{ 'abc' is lower }}",
    "{{ 'ABC' is upper }}",
    '{{ 3 is gt 2 }}',
    '{{ 3 is lessthan 2 }}',
    '{{ range is callable }}',
    "{{ 'x' is callable }}",
    "{{ 'upper' is filter }}",
    "{{ 'odd' is test }}",
    "{{ 'abc'[1] }}",
    "{{ 'abcdef'[1:4] }}",
    "{{ 'abc'[::-1] }}",
    '{{ [1,2,3][-1] }}',
    '{{ [1,2,3][::-1] }}',
    '{{ [1,2,3,4][1:] }}',
    '{{ [1,2,3,4][:-1] }}',
    '{{ [1,2,3,4][::2] }}',
    '{{ (1,2,3)[1:] }}',
    '{{ messages[-1].role }}',
    "{{ 'abc'[-2:] }}",
    "{{ 'abc'[5:] }}",
    '{{ [1,2][5:] }}',
    "{{ 'abc'[7] }}",
    '{{ [1][3] }}',
    "{{ '\xe9\U0001f600x'[1] }}",
    "{{ '\xe9\U0001f600x'[1:] }}",
    '{{ range(2, 8, 3) | list }}',
    '{{ range(3, 0, -1) | list }}',
    "{{ 'a' in 'cab' }}",
    '{{ 3 not in [1, 2] }}',
    "{{ 'role' in messages[0] }}",
    '{{ 1 in {1: 2} }}',
    '{{ none in [none] }}',
    "{{ 'Abc' | upper | lower | capitalize }}",
    "{{ ' x ' | trim }}",
    "{{ 'xxaxx' | trim('x') }}",
    "{{ 'a-b-c' | replace('-', '+') }}",
    "{{ 'a-b-c' | replace('-', '+', 1) }}",
    "{{ 'hello world' | title }}",
    "{{ 'a,b'.split(',') | last }}",
    "{{ 'a,b,c'.split(',', 1) }}",
    "{{ 'a b  c'.split() }}",
    "{{ ' a b  c '.split(none, 1) }}",
    "{{ 'a,b,c'.rsplit(',', 1) }}",
    "{{ ' a  b c '.rsplit(none, 1) }}",
    "{{ 'a,b,c'.split(',', maxsplit=1) }}",
    "{{ 'a,b,c'.split(sep=',') }}",
    "{{ 'abc'.split('x') }}",
    "{{ ''.split() }}",
    "{{ ''.split(',') }}",
    "{{ 'a,,b'.split(',') }}",
    "{{ 'abc'.split('') }}",
    "{{ 'a=b=c'.partition('=') }}",
    "{{ 'a=b=c'.rpartition('=') }}",
    "{{ 'abc'.partition('=') }}",
    "{{ 'abc'.rpartition('=') }}",
    "{{ '  x '.strip() }}",
    "{{ '  x '.lstrip() }}",
    "{{ '  x '.rstrip() }}",
    "{{ 'xxaxx'.strip('x') }}",
    "{{ '\\n\\nx\\n'.lstrip('\\n') }}",
    "{{ 'abcx'.rstrip('xc') }}",
    "{{ ' x '.strip(none) }}",
    "{{ 'abc'.startswith('ab') }}",
    "{{ 'abc'.endswith(('x', 'bc')) }}",
    "{{ 'abc'.startswith('b', 1) }}",
    "{{ 'abc'.endswith('b', 0, 2) }}",
    "{{ 'abc'.startswith(['a']) }}",
    "{{ 'hello'.find('l') }}",
    "{{ 'hello'.rfind('l') }}",
    "{{ 'hello'.find('z') }}",
    "{{ 'hello'.find('l', 3) }}",
    "{{ 'hello'.index('l') }}",
    "{{ 'hello'.count('l') }}",
    "{{ 'aaa'.count('aa') }}",
    "{{ '\xe9llo'.find('o') }}",
    "{{ 'hello'.index('z') }}",
    "{{ 'Hello World'.lower() }}",
    "{{ 'hello'.upper() }}",
    "{{ 'hello world'.title() }}",
    "{{ 'hELLO'.capitalize() }}",
    "{{ 'a-b'.replace('-', '+') }}",
    "{{ 'aaa'.replace('a', 'b', 2) }}",
    "{{ 'abc'.replace('', '-') }}",
    "{{ 'abc'.removeprefix('a') }}",
    "{{ 'abc'.removesuffix('bc') }}",
    "{{ '7'.zfill(3) }}",
    "{{ '-7'.zfill(4) }}",
    "{{ 'ab'.ljust(5) }}",
    "{{ 'ab'.rjust(5, '.') }}",
    "{{ 'ab'.center(5, '*') }}",
    "{{ 'abc'.center(6, '*') }}",
    "{{ 'a'.center(4, '*') }}",
    "{{ 'a\\nb\\r\\nc'.splitlines() }}",
    "{{ 'a\\nb'.splitlines(true) }}",
    "{{ 'a\\n\\nb\\n'.splitlines() }}",
    "{{ '12'.isdigit() }}",
    "{{ 'ab'.isalpha() }}",
    "{{ 'a1'.isalnum() }}",
    "{{ ' '.isspace() }}",
    "{{ 'AB'.isupper() }}",
    "{{ 'ab'.islower() }}",
    "{{ ''.isdigit() }}",
    "{{ ', '.join(['a', 'b']) }}",
    "{{ '-'.join(messages | map(attribute='role')) }}",
    "{{ ','.join([1, 2]) }}",
    "{{ '{} and {}'.format('a', 1) }}",
    "{{ '{0}-{1}-{0}'.format('a', 'b') }}",
    "{{ '{x}'.format(x=1) }}",
    "{{ '{:>5}|{:.2f}'.format('a', 1.5) }}",
    "{{ '%s-%d' | format('a', 3) }}",
    "{{ messages | map(attribute='role') | list }}",
    "{{ [' a ', 'b '] | map('trim') | list }}",
    "{{ ['a', 'b'] | map('upper') | join(',') }}",
    "{{ ['a-b'] | map('replace', '-', '+') | list }}",
    "{{ messages | map(attribute='nosuch', default='x') | join }}",
    "{{ [[1,2],[3]] | map('length') | list }}",
    "{{ [{'a': {'b': 1}}",
    "{{ [[1,2],[3,4]] | map('first') | list }}",
    '{{ [[1,2],[3,4]] | map(attribute=0) | list }}',
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}",
    "{{ messages | selectattr('role', '==', 'user') | map(attribute='content') | list }}",
    "{{ messages | rejectattr('role', 'in', ['user', 'system']) | map(attribute='role') | first }}",
    "{{ messages | selectattr('nosuch') | list }}",
    "{{ messages | selectattr('nosuch', 'defined') | list }}",
    "{{ [1,2,3,4] | select('odd') | list }}",
    "{{ [1,2,3,4] | reject('gt', 2) | list }}",
    "{{ ['', 'a', none] | select | list }}",
    '{{ [3,1,2] | sort }}',
    '{{ [3,1,2] | sort(reverse=true) }}',
    "{{ ['b', 'A', 'c'] | sort }}",
    "{{ ['b', 'A'] | sort(case_sensitive=true) }}",
    "{{ messages | sort(attribute='role') | map(attribute='role') | list }}",
    '{{ [1,2,2,1] | unique | list }}',
    '{{ [1,2,3] | sum }}',
    '{{ [1,2,3] | max }}',
    '{{ [1,2,3] | min }}',
    '{{ [1,2,3] | reverse | list }}',
    "{{ 'abc' | reverse }}",
    '{{ [1,2,3] | first }}',
    '{{ [1,2,3] | last }}',
    "{{ 'abc' | first }}",
    '{{ [] | first }}',
    '{{ [1,2,3,4,5] | batch(2) | list }}',
    '{{ [1,2,3,4,5] | slice(2) | list }}',
    "{{ [{'k':1,'v':2},{'k':1,'v':3}] | groupby('k') | list | length }}",
    "{{ 'abc' | list }}",
    '{{ messages[0] | list }}',
    "{{ 'abc' | length }}",
    "{{ '\xe9\U0001f600' | length }}",
    '{{ messages[0] | length }}',
    "{{ 'abc' | count }}",
    "{{ '3' | int + 1 }}",
    "{{ 'x' | int }}",
    "{{ 'x' | int(7) }}",
    "{{ '3.7' | float }}",
    '{{ 3.7 | int }}',
    '{{ 3.14159 | round(2) }}',
    '{{ 2.5 | round }}',
    '{{ -3 | abs }}',
    "{{ 3 | string + 'x' }}",
    '{{ [1] | string }}',
    '{{ true | string }}',
    '{{ none | string }}',
    "{{ {'b': 1, 'a': 2} | dictsort }} {{ {'b': 1, 'a': 2}.items() | list }} {{ {'b': 1}.keys() | list }} {{ {'b': 1}.values() | list }} {{ {'b': 1} | items | list }} {% for k, v in {'b': 1, 'a': 2}.items() %}{{ k }}={{ v }};{% endfor %} {{ {'a': 1}.get('a') }} {{ {'a': 1}.get('b') }} {{ {'a': 1}.get('b', 7) }} {{ dict(a=1, b=2) }} {{ dict({'x': 1}, y=2) }}",
    '{{ tools[0] | tojson }}',
    '{{ tools[0] | tojson(indent=2) }}',
    '{{ tools[0] | tojson(indent=4, sort_keys=true) }}',
    "{{ tools[0] | tojson(separators=(',', ':')) }}",
    "{{ tools[0] | tojson(false, 2, [';', '=']) }}",
    '{{ documents[0].text | tojson }}',
    '{{ documents[0].text | tojson(ensure_ascii=true) }}',
    "{{ [1, 2.0, 1e16, 1e-7, true, none, 'x', (1, 2), {}, []] | tojson }}",
    '{{ {} | tojson(indent=2) }}',
    '{{ [] | tojson(indent=2) }}',
    "{{ [[]] | tojson(indent='ab') }}",
    '{{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }}',
    "{{ {'b': 1, 'a': {'d': 1, 'c': 2}}",
    '{{ [1,2] | tojson(indent=0) }}',
    "{{ 'a\\u007f\\u0001' | tojson }}",
    "{{ 'a\\u007f\\u0001' | tojson(ensure_ascii=true) }}",
    '{{ undefined_name | tojson }}',
    '{{ tools[0] | tojson | length }}',
    "{{ '<&>' | tojson }}",
    "{{ '<a>' | escape }}",
    "{{ '<a>' | e ~ '<' }}",
    "{{ '<a>' | safe }}",
    '{{ [1,2] + [3] }}',
    '{{ (1,) + (2,) }}',
    '{{ [0] * 3 }}',
    "{{ 'ab' * 2 }}",
    "{{ 2 * 'ab' }}",
    '{{ ([1] + [2]) | length }}',
    '{{ [1] + [2] == [1, 2] }}',
    '{{ (1,2) == [1,2] }}',
    '{{ 1 == 1.0 }}',
    '{{ 1 == true }}',
    "{{ '1' == 1 }}",
    "{{ {'a': 1} == {'a': 1} }}",
    "{{ 'a' < 'b' }}",
    '{{ [1,2] < [1,3] }}',
    '{{ 1 < 2 < 3 }}',
    '{{ 1 < 3 < 2 }}',
    "{{ 'a' + 1 }}",
    '{{ none + 1 }}',
    "{{ [1] + 'a' }}",
    '{{ not true }}',
    "{{ not '' }}",
    '{{ 1 and 2 }}',
    "{{ 0 or 'x' }}",
    "{{ '' and 1 }}",
    '{{ not 1 == 2 }}',
    '{{ 1 if false }}',
    '{{ 1 if true else 2 }}',
    "{{ 'a' if messages else 'b' }}",
    '{{ (1 if false) is defined }}',
    '{{ -1 ** 2 }}',
    '{{ -3 }}',
    '{{ - 3 | abs }}',
    '{{ 2 ** 3 ** 2 }}',
    '{{ 2 * 3 ** 2 }}',
    '{{ -2 ** 2 }}',
    "{{ 'a' ~ 'b' | upper }}",
    "{{ 1 + 2 | string ~ 'x' }}",
    '{{ 3 + 1 * 2 }}',
    '{{ 7 % 4 * 2 }}',
    '{{ 1 - 1 - 1 }}',
    '{{ 1 / 0 }}',
    "{{ ('p' 'q') }}",
    '{{ "a\'b" }}',
    "{{ 'a\\'b' }}",
    "{{ 'a\\tb\\\\n\\x41\\u00e9' }}",
    '{{ "\\"" }}',
    "{{ 'line\\ntwo' }}",
    "{% for a, b in [[1, 2], [3, 4]] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ a }}{{ b }}{{ loop.cycle('x', 'y') }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.changed(a) }};{% endfor %}",
    "{% for m in messages if m.role == 'user' %}{{ loop.length }}{{ loop.last }}{{ m.content }}{% else %}none{% endfor %}{% for m in messages if m.role == 'nosuch' %}x{% else %}none{% endfor %}",
    '{% set x = 1 %}{% for i in range(2) %}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 7 %}{% endif %}{{ x }}',
    '{% for i in [1,2] %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.previtem }}{{ loop.nextitem }}{% endfor %}',
    '{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% endfor %}',
    '{% for i in range(3) %}{% for j in range(3) %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{{ loop.index }}{% endfor %}',
    '{% set outer = namespace(v=0) %}{% for i in range(3) %}{% set outer.v = outer.v + i %}{% endfor %}{{ outer.v }}',
    "{% macro r(m, x='d') %}[{{ m }}{{ x }}]{% endmacro %}{{ r('a') }}{{ r('a', 'b') }}{{ r(m='q', x=1) }}{{ r('a') | length }}{{ r() }}",
    '{% macro outer(v) %}{% macro inner(w) %}<{{ w }}{{ v }}>{% endmacro %}{{ inner(v) }}{{ bos_token }}{% endmacro %}{{ outer(3) }}',
    "{% macro wrap(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call wrap('b') %}x{{ 3 }}{% endcall %}{% macro w2() %}{{ caller(1) }}{% endmacro %}{% call(v) w2() %}v{{ v }}{% endcall %}",
    '{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}',
    '{% set x %}Q: {{ 3 }}{% endset %}{{ x }}{{ x | length }}{% set y | upper %}abc{% endset %}{{ y }}{% filter upper %}a{{ bos_token }}{% endfilter %}',
    "{% set a, b = 'x', 'y' %}{{ a }}{{ b }}{% set t = 1, 2 %}{{ t }}{% for k in ('c','d') %}{{ k }}{% endfor %}{% set (p, q) = (1, 2) %}{{ p }}{{ q }}",
    '{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}',
    '{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z is defined }}',
    '{% generation %}{% set z = 1 %}{{ z }}{% endgeneration %}{{ z is defined }}|{%- generation -%} x {%- endgeneration -%}|',
    '{% for m in messages %}{% generation %}{{ loop.index }}{{ m.role }}{% endgeneration %}{% endfor %}',
    '{{ \'{% generation %}\' }}{# {% generation %} #}{% raw %}{% generation %}{{ x }}{% endraw %}{{ "%}" }}{% if \'%}\' %}y{% endif %}',
    "{{ strftime_now('%Y-%m-%d') }}",
    "{{ strftime_now('%d %b %Y') }}",
    "{{ strftime_now('%A, %B %d, %Y %H:%M:%S %p %j %U %y %e %-d %-m %f|%z|%Z %%') }}",
    "{{ raise_exception('no ' ~ 'way') }}",
    '{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ unk_token }}{{ tools is none }}{{ documents is none }}{{ tools is defined }}{% if tools %}t{% endif %}{{ tools is not none and tools | length > 0 }}',
    '{{ messages.append(1) }}',
    '{{ messages.pop() }}',
    "{{ messages[0].update({'a': 1}) }}",
    '{{ messages[0].nosuch() }}',
    "{{ 'x' | nosuch }}",
    "{{ 'x' is nosuch }}",
    "{{ nosuch('x') }}",
    '{% nosuch %}',
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    '{% do messages %}',
    '{% for m in messages recursive %}x{% endfor %}{% for i in [[1, [2]], [3]] recursive %}{% if i is iterable %}[{{ loop(i) }}]{% else %}{{ i }}{% endif %}{% endfor %}',
    '{{ messages | length - 1 }}',
    '{{ (messages | length) - 1 }}',
    '{{ messages|length>2 }}',
    "{{ messages[0]['content'][:3] }}",
    "{{ messages[0].content|upper|replace('BE','x') }}",
    "{{ 'a' 'b' ~ 'c' }}",
    '{{ 1_000 }}',
    '{{ 0x1f }}',
    '{{ 0b11 }}',
    '{{ 1.5e3 }}',
    "{{ 'a'|upper }}",
    '{{ [1,2,] }}',
    "{{ {'a':1,} }}",
    '{{ (1,2,) }}',
    '{{ loop }}',
    '{{ messages.0.role }}',
    '{{ messages[0]["role"] }}',
    "{{ {'a b': 1}['a b'] }}",
    '{{ [[1,2],[3]][0][1] }}',
    "{{ 'a\\nb' | indent }}",
    "{{ 'a\\nb' | indent(2, true) }}",
    "{{ 'x' | center(5) }}",
    "{{ 'abc' | select('in', 'ab') | list }}",
    "{% if messages[0].role == 'system' and (messages | length) > 1 or false %}ok{% elif true %}no{% else %}never{% endif %}",
    "{% if not messages[0].role == 'user' %}a{% endif %}{% if 'x' not in 'abc' %}b{% endif %}{% if messages[0].tool_calls is not defined or not messages[0].tool_calls %}c{% endif %}",
    "{{ (messages | last).content.split(',')[1:] | join('|') }}",
    "{{ messages[2].content.split('</think>')[0].split('<think>')[-1].strip('\\n') }}",
    "{{ messages[-1]['content'].split(',')[-1] }}",
    "{{ [1, 2, 3] | map('string') | join('+') }}",
    "{{ messages | map(attribute='content') | map('length') | sum }}",
    '{{ documents[0].text }}',
    '{{ documents[0].text | upper }}',
    "{{ '\xdf' | upper }}",
    "{{ '\u0130' | lower | length }}",
    '{{ "o\'neil smith-jones" | title }}',
    '{{ "o\'neil smith-jones".title() }}',
    '{{ 3.0 | int }}',
    '{{ 3 | float }}',
    "{{ '0x1f' | int(base=16) }}",
    '{{ 1.0 == 1 }}',
    '{{ 5 // 2.0 }}',
    '{{ 5.5 % 2 }}',
    '{{ 1e300 * 1e300 }}',
    '{{ 3 // 0.5 }}',
    '{% set a = [1] %}{% set b = a + [2] %}{{ a }}{{ b }}{% for x in a + b %}{{ x }}{% endfor %}{{ (a + b)[1] }}{{ (a + b) | tojson }}',
    "{% set content = messages[0].content if messages[0].content is string else 'x' %}{{ content }}{{ content if content else '' }}",
    '{%- set s = messages[1].content | trim -%}[{{ s }}]{{ messages[1].content|trim|length }}',
    '{{ messages | tojson }}',
    '{{ messages }}',
    '{{ messages | string | length }}',
    "{{ 'a' is string and 'b' is string }}",
    '{{ 1 is not string }}',
    '{{ not 1 is string }}',
    '{{ [] is defined }}',
    '{{ [] == false }}',
    "{{ '' == false }}",
    '{{ 0 == false }}',
    '{{ none == false }}',
    "{{ x if x is defined else 'undef' }}",
    '{{ ([1,2,3] | length) * 2 }}',
    '{{ [1,2,3]|length * 2 }}',
    '{{ "a" if 1 else "b" if 0 else "c" }}',
    "{{ 'abc'|first|upper }}",
    "{{ 'a.b'.split('.')|first }}",
    "{{ '\\n'.join(['a','b']) }}",
    "{{ 'x\\ny' }}",
    "{{ 'a' ~ undefined_name ~ 'b' }}",
    '{{ undefined_name|string }}',
    '{{ undefined_name|list }}',
    "{{ undefined_name|join(',') }}",
    '{{ undefined_name is string }}',
    '{{ undefined_name|upper }}',
    "{{ undefined_name == '' }}",
    '{{ undefined_name|int }}',
    '{{ undefined_name|first }}',
    "{{ (undefined_name or 'x') }}",
    '{{ undefined_name and 1 }}',
    '{{ undefined_name if undefined_name }}',
    '{{ undefined_name * 2 }}',
    '{{ -undefined_name }}',
    "{{ undefined_name.split(',') }}",
    "{{ undefined_name in ['a'] }}",
    '{{ [1] + undefined_name }}',
    '{{ namespace().x }}',
    '{{ range(100001) | length }}',
    "{{ 'x' is number and 3 is not none }}{{ 'a\\nb' | indent }}|{{ 'a\\nb' | indent(2, true) }}",
    "{{ 'x' | center(5) }}|",
    "{% set ns = namespace({'a': 1, 'b': [2]}) %}{{ ns.a }}{{ ns.b }}{% set ns.c = 3 %}{{ ns.c }}{{ ns.nosuch }}|{% set ns2 = namespace({'a': 1}, b=2) %}{{ ns2.a }}{{ ns2.b }}{{ ns['a'] }}",
    '{% macro rec(n) %}{{ n }}{% if n > 0 %}{{ rec(n - 1) }}{% endif %}{% endmacro %}{{ rec(5) }}',
    "{% set a, b = 'x', 'y' %}{{ a }}{{ b }}{% set t = 1, 2 %}{{ t }}{% for k in ('c','d') %}{{ k }}{% endfor %}",
    "{% set k = 'a' %}{{ k < 1 }}",
    "{% set j = joiner(', ') %}{{ j() }}a{{ j() }}b",
    "a\n  {% if true %}\nb\n  {% endif %}\nc {# gone #}\n  {# gone #}\n{{- 'd' -}}  \n e\n\na\n   {%+ if true %}b{% endif %}\nc\n   {%- if true -%}\n   d\n   {%- endif +%}\ne\n{% set x = 1 -%}\n   f\n {{ 'a' }}\n {% raw %}\n  {{ x }}\n {% endraw %}\ng\n{%- for m in messages -%}\n\n {{ m.role }}\n\n{%- endfor -%}\nend\n   {{- ' x' }}   {{ 'y ' -}}   \n",
    'a\n',
    'a\n\n',
    '\n',
    '',
    '{ } {',
    '{% if 1 %}\n\nx\n{% endif %}\n\ny',
    '  {%- if 1 %} a {%- endif %}',
    '\t{% if 1 %}x{% endif %}\t\n',
    'x {% if 1 %}\n y{% endif %}',
    "{{ 'a' }}\n{{ 'b' }}\n",
    '{% raw %}\r\n{{ x }}\n{% endraw %}z',
    '{%- raw -%}\n  {{ x }}\n{%- endraw -%}\nz',
    "{{ 'a\r\nb' }}",
    '{#- x -#} a {#- y #}',
    '{% if 1 -%}\n  a\n{%- endif %}\n',
    '  {# c #}\n b',
    '{%if 1%}x{%endif%}',
    '{%- if 1-%}x{%- endif-%}',
    'a\n   {%+ if true %}b{% endif %}\nc',
    "a\r\n  {% if true %}\r\nb\r\n  {% endif %}\r\nc {# gone #}\r\n  {# gone #}\r\n{{- 'd' -}}  \r\n e\r\n\r\na\r\n   {%+ if true %}b{% endif %}\r\nc\r\n   {%- if true -%}\r\n   d\r\n   {%- endif +%}\r\ne\r\n{% set x = 1 -%}\r\n   f\r\n {{ 'a' }}\r\n {% raw %}\r\n  {{ x }}\r\n {% endraw %}\r\ng\r\n{%- for m in messages -%}\r\n\r\n {{ m.role }}\r\n\r\n{%- endfor -%}\r\nend\r\n   {{- ' x' }}   {{ 'y ' -}}   \r\n",
]

CONVERSATIONS = [
    [("user", "Question: 2 + 2 = ?\nAnswer:")],
    [("system", "Be brief."), ("user", "  hi  ")],
    [("user", "a"), ("assistant", "<think>x</think>\nb"), ("user", "caf\u00e9 {{ c }}")],
    # The features'.
    [("system", "Be brief."), ("user", "  hi \u00e9 \n"), ("assistant", "<think>x</think>\n\nb"), ("user", "a,b,,c")],
]
TOOLS = [{"type": "function",
          "function": {"name": "f",
                       "parameters": {"type": "object",
                                      "properties": {"b": {"type": "string", "enum": ["x", "y"]},
                                                     "a": {"type": ["integer", "null"]},
                                                     "c": {"type": "array", "items": {"type": "number"}}},
                                      "required": ["b"]}}}]
DOCUMENTS = [{"title": "A \u00e9 'title'", "text": "Gr\u00fc\u00dfe \U0001f600 \u2028 \"q\" \\ \t <b>&'"}]
DATE = datetime.datetime(2025, 3, 4)
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


class Generation(Extension):
    """Transformers' tag, without the tracking of what lies in it."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller):
        return caller()


def environment():
    def refuse(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                         extensions=[Generation, "jinja2.ext.loopcontrols"])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = refuse
    made.globals["strftime_now"] = DATE.strftime
    return made


def record(name, template, conversation, generation, tools, documents):
    case = {"name": name, "template": template, "conversation": conversation, "generation": generation, "tools": tools,
            "documents": documents}
    try:
        case["text"] = environment().from_string(template).render(
            messages=[{"role": r, "content": c} for r, c in CONVERSATIONS[conversation]],
            tools=TOOLS if tools else None, documents=DOCUMENTS if documents else None,
            add_generation_prompt=generation, **TOKENS)
    except jinja2.exceptions.TemplateError as error:
        raised = type(error) is jinja2.exceptions.TemplateError
        case["fault"] = str(error) if raised else ""
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        case["fault"] = ""
    return case


def main():
    cases = []
    for name, template in TEMPLATES.items():
        for conversation in range(3):
            for generation in (True, False):
                cases.append(record(name, template, conversation, generation, False, False))
        if "tools" in template:
            cases.append(record(name, template, 1, True, True, False))
        if "documents" in template:
            cases.append(record(name, template, 0, True, True, True))
    for template in FEATURES:
        cases.append(record("feature", template, 3, True, True, True))
    with open(sys.argv[1], "w") as out:
        json.dump({"jinja2": jinja2.__version__, "conversations": CONVERSATIONS, "tools": TOOLS, "documents": DOCUMENTS,
                   "cases": cases}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
