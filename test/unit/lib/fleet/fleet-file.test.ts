import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { readFleet } from '../../../../src/lib/fleet/fleet-file.ts';
import { temporaryFolder } from '../../support/folder.ts';

const stdinOf = (text: string) => Readable.from([text]);
const read = (text: string) => readFleet(['-'], stdinOf(text));

/** The faults of a file, as `LINE:COLUMN: sentence`. */
async function faultsOf(text: string) {
  const error = await read(text).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof StellarError, `the file was accepted: ${JSON.stringify(error)}`);
  assert.equal(error.code, 'usage');
  assert.match(
    error.message,
    /^The fleet has \d+ faults?; nothing was written\.$|contains no Fleet\.$/,
  );
  return error.details.map((line) => line.replace(/^stdin:/, ''));
}

const head = `apiVersion: stellarctl.kubestellar.io/v1alpha1
kind: Fleet
metadata:
  name: prod
`;

test('a fleet has the defaults of its document, and its own values over them', async () => {
  const fleet = await read(`${head}
defaults:
  labels: { tier: web, region: eu }
  join: { mode: Default }
wecs:
  - name: c1
    context: kind-c1
    labels: { region: us }
    properties: { maxPods: "100" }
  - { name: c2, join: { ocmVersion: 1.0.0, caFile: ca.crt }, kubeconfig: wecs.yaml, context: c2 }
`);
  assert.equal(fleet.name, 'prod');
  const [c1, c2] = fleet.wecs;
  assert.deepEqual(c1?.labels, { tier: 'web', region: 'us' });
  assert.deepEqual(c1?.properties, { maxPods: '100' });
  assert.deepEqual(c1?.join, { mode: 'Default' });
  assert.equal(c1?.context, 'kind-c1');
  assert.deepEqual(c2?.labels, { tier: 'web', region: 'eu' });
  assert.deepEqual(c2?.join, {
    mode: 'Default',
    ocmVersion: '1.0.0',
    caFile: path.resolve('ca.crt'),
  });
  assert.equal(c2?.kubeconfig, path.resolve('wecs.yaml'));
});

test('a folder is read in the order of its names, and files are relative to it', async () => {
  const folder = temporaryFolder();
  await writeFile(path.join(folder, 'b.yaml'), `${head}wecs: [{ name: c2 }]\n`);
  await writeFile(
    path.join(folder, 'a.json'),
    JSON.stringify({
      apiVersion: 'stellarctl.kubestellar.io/v1alpha1',
      kind: 'Fleet',
      metadata: { name: 'prod' },
      wecs: [{ name: 'c1', context: 'c1', kubeconfig: 'k.yaml' }],
    }),
  );
  await writeFile(path.join(folder, 'notes.txt'), 'no YAML: {');
  const fleet = await readFleet([folder], stdinOf(''));
  assert.deepEqual(
    fleet.wecs.map(({ name }) => name),
    ['c1', 'c2'],
  );
  assert.equal(fleet.wecs[0]?.kubeconfig, path.join(folder, 'k.yaml'));
});

/** What is wrong in a file, and how it is reported. */
const bad: [what: string, text: string, faults: string[]][] = [
  ['nothing', '', []],
  ['another kind', head.replace('Fleet', 'Fleets'), ['2:7: kind must be Fleet.']],
  [
    'another version',
    head.replace('v1alpha1', 'v1'),
    ['1:13: apiVersion must be stellarctl.kubestellar.io/v1alpha1.'],
  ],
  [
    'no name',
    'apiVersion: stellarctl.kubestellar.io/v1alpha1\nkind: Fleet\nmetadata: {}\n',
    ['3:11: metadata lacks name.'],
  ],
  [
    'a bad name of the fleet',
    head.replace('prod', 'Prod'),
    [
      '4:9: metadata.name: "Prod" cannot be the name of a fleet: only lower-case letters, digits and hyphens are possible, with a letter or digit at both ends.',
    ],
  ],
  [
    'no YAML',
    `${head}wecs: [\n`,
    [
      '6:1: It is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ].',
    ],
  ],
  ['a scalar', 'fleet\n', ['1:1: The document must be a map of names and values.']],
  [
    'an unknown field',
    `${head}wec: []\n`,
    ['5:1: wec is not a field of a Fleet; the nearest one is wecs.'],
  ],
  [
    'an unknown field of a WEC',
    `${head}wecs:\n  - name: c1\n    contxt: c1\n`,
    ['7:5: wecs[0].contxt is not a field of a Fleet; the nearest one is context.'],
  ],
  [
    'a field of every object',
    `${head}wecs:\n  - name: c1\n    constructor: c1\n`,
    ['7:5: wecs[0].constructor is not a field of a Fleet.'],
  ],
  ['no list', `${head}wecs: c1\n`, ['5:7: wecs must be a list.']],
  ['a WEC in place of a list', `${head}wecs: { name: c1 }\n`, ['5:7: wecs must be a list.']],
  [
    'empty defaults',
    `${head}defaults:\nwecs:\n  - name: c1\n`,
    ['5:10: defaults must be a map of names and values.'],
  ],
  [
    'a number as kubeconfig',
    `${head}wecs:\n  - { name: c1, kubeconfig: 5 }\n`,
    ['6:29: wecs[0].kubeconfig must be a text: write "5".'],
  ],
  [
    'a list as kubeconfig',
    `${head}wecs:\n  - { name: c1, kubeconfig: [a] }\n`,
    ['6:29: wecs[0].kubeconfig must be a text.'],
  ],
  [
    'a number as file',
    `${head}defaults: { join: { caFile: 5 } }\nwecs:\n  - name: c1\n`,
    ['5:29: defaults.join.caFile must be a text: write "5".'],
  ],
  ['an empty list', `${head}wecs:\n`, ['5:6: wecs must be a list.']],
  ['a WEC without a name', `${head}wecs:\n  - context: c1\n`, ['6:5: wecs[0] lacks name.']],
  [
    'numbers and switches as labels',
    `${head}wecs:\n  - name: c1\n    labels:\n      tier: 1\n      edge: true\n      none:\n`,
    [
      '8:13: wecs[0].labels.tier must be a text: write "1".',
      '9:13: wecs[0].labels.edge must be a text: write "true".',
      '10:12: wecs[0].labels.none must be a text.',
    ],
  ],
  [
    'a bad label',
    `${head}defaults:\n  labels:\n    "a/b/c": x\n    ok: "a b"\n`,
    [
      '7:5: defaults.labels.a/b/c: a key has at most one "/".',
      '8:9: defaults.labels.ok: a value has letters, digits, "-", "_" and "." and begins and ends with a letter or digit.',
    ],
  ],
  [
    'a bad property',
    `${head}defaults:\n  properties: { max-pods: "1" }\n`,
    [
      '6:17: defaults.properties.max-pods: KubeStellar would ignore "max-pods", which is not a Go identifier (letters, digits and "_", no digit first, no word of Go).',
    ],
  ],
  [
    'bad options of a join',
    `${head}defaults:\n  join: { mode: "no", hubApiserver: "http://x", ocmVersion: latest, proxyUrl: x }\n`,
    [
      '6:17: defaults.join.mode must be Singleton or Default.',
      '6:37: defaults.join.hubApiserver: "http://x" is not an address of an API server: it has the form https://HOST:PORT, or is one of context, published.',
      '6:61: defaults.join.ocmVersion: "latest" is not a version of OCM: it has the form 1.3.1.',
      '6:79: defaults.join.proxyUrl: "x" is not a URL.',
    ],
  ],
  ['a key twice', `${head}kind: Fleet\n`, ['5:1: It is not YAML: Map keys must be unique.']],
  [
    'an alias',
    `${head}wecs:\n  - name: c1\n    labels: &l { a: b }\n  - name: c2\n    labels: *l\n`,
    ['9:13: An alias is not possible here: write the value, or use defaults.'],
  ],
  [
    'a name twice',
    `${head}wecs:\n  - name: c1\n  - name: c1\n`,
    ['7:5: The WEC c1 is listed twice, before at stdin:6.'],
  ],
  [
    'a kubeconfig alone',
    `${head}wecs:\n  - { name: c1, kubeconfig: f }\n`,
    ['6:5: The WEC c1 has a kubeconfig and no context.'],
  ],
  [
    'two fleets',
    `${head}---\n${head.replace('prod', 'test')}`,
    ['9:9: The fleet prod comes before: apply test alone.'],
  ],
];

for (const [what, text, faults] of bad)
  test(`${what}: each fault has its line, and nothing else is done`, async () => {
    assert.deepEqual(await faultsOf(text), faults);
  });
