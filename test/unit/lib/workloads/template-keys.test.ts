import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { keysInTemplate, templateKeysOf } from '../../../../src/lib/workloads/content-warnings.ts';

describe('the properties that a template uses', () => {
  for (const [text, keys] of Object.entries({
    'no action .region': [],
    '{{.region}}': ['region'],
    'a {{ .region }} b {{- .tier -}} c': ['region', 'tier'],
    '{{ .region | printf "%s.tier" }}': ['region'],
    '{{ if .region }}x{{ else if eq .env "prod" }}{{ .zone }}{{ end }}': ['region', 'env', 'zone'],
    '{{ with .region }}{{ . }}{{ end }}': ['region'],
    '{{ printf "%s-%s" .a .b }}': ['a', 'b'],
    '{{ ($.region) }}{{ (.tier) }}': ['region', 'tier'],
    '{{ $x := .region }}{{ $x }}': ['region'],
    '{{ $all := . }}{{ $all.region }}': ['region'],
    '{{ .region.part }}': ['region'],
    '{{ not .region }}': ['region'],
    '{{ "{{ .quoted }}" }}{{ .region }}': ['region'],
    '{{ `}} .raw "` }}{{ .region }}': ['region'],
    "{{ '}' }}{{ .region }}": ['region'],
    '{{ "a\\"}} .x" }}{{ .region }}': ['region'],
    '{{/* .comment }} */}}{{ .region }}': ['region'],
    '{{- /* .comment */ -}}{{ .region }}': ['region'],
    '{{ 1.5 }}{{ index . "region" }}': [],
    '{{\n  .region\n}}': ['region'],
    '{{ .r\u00e9gion }}': ['r\u00e9gion'],
    '{{ .': [],
    '{{ .region': ['region'],
    '{{ "open }} {{ .region }}': [],
    '{{/* open }} {{ .region }}': [],
    '}} {{ }} {{': [],
  }))
    test(JSON.stringify(text), () => assert.deepEqual([...keysInTemplate(text)].sort(), [...keys].sort()));

  test('can be read from any text', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('{{', '}}', '.a', '$', '"', '`', "'", '\\', '/*', '*/', '- '));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join('');
        for (const key of keysInTemplate(text)) assert.ok(text.includes(`.${key}`), key);
      }),
    );
  });

  test('are found in linear time', () => {
    for (const part of ['{{', '{{/*', '{{"', '{{`a', '{{.a.', '$', '"\\', '{{ /*a', '.a'])
      for (const start of ['', '{{', '{{ "', '{{/*']) keysInTemplate(start + part.repeat(100_000));
  });
});

describe('a workload object uses properties', () => {
  const annotations = { 'control.kubestellar.io/expand-templates': 'true' };
  const object = (content: object, own: Record<string, string> = annotations) => ({
    metadata: { name: 'x', annotations: own },
    ...content,
  });
  test('in every string, at any depth', () => {
    const found = templateKeysOf(
      object(
        { spec: { list: [{ a: '{{.one}}' }, ['{{.two}}'], 3, null, true] } },
        { ...annotations, note: '{{.three}}' },
      ),
    );
    assert.deepEqual([...found].sort(), ['one', 'three', 'two']);
  });
  test('but not in the keys of maps, its status, and what KubeStellar does not send', () => {
    const own = { ...annotations, 'kubectl.kubernetes.io/last-applied-configuration': '{{.old}}' };
    assert.deepEqual(templateKeysOf(object({ data: { '{{.key}}': 'x' }, status: { a: '{{.status}}' } }, own)).size, 0);
  });
  test('only if it is marked as a template', () => {
    for (const own of [{}, { 'control.kubestellar.io/expand-templates': 'True' }])
      assert.equal(templateKeysOf(object({ data: { a: '{{.region}}' } }, own)).size, 0);
    assert.equal(templateKeysOf({ metadata: { name: 'x' } }).size, 0);
  });
});
