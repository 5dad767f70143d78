import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keysInTemplates } from '../../../../src/lib/ocm/model/customization.ts';

describe('the properties that a template uses', () => {
  for (const [text, keys] of Object.entries({
    'no action .region': [],
    '{{.region}}': ['region'],
    'a {{ .region }} b {{- .tier -}} c': ['region', 'tier'],
    '{{ .region | printf "%s.tier" }}': ['region'],
    '{{ if .region }}x{{ else if eq .env "prod" }}{{ .zone }}{{ end }}': ['region', 'env', 'zone'],
    '{{ with .region }}{{ . }}{{ end }}': ['region'],
    '{{ ($.region) }}{{ (.tier) }}': ['region', 'tier'],
    '{{ .region.part }}': ['region'],
    '{{/* .comment */}}{{ .region }}': ['region'],
    '{{ 1.5 }}{{ index . "region" }}': [],
    '{{\n.region\n}}': ['region'],
    '}} {{ }} {{': [],
  }))
    test(JSON.stringify(text), () =>
      assert.deepEqual(keysInTemplates(JSON.stringify({ a: { text } })), keys),
    );
});
