/** What is written is the same for Go's YAML, with which kubectl, helm, kflex and OCM's agents read it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KubeconfigDocument } from '../../../src/lib/kube/kubeconfig/edit.ts';
import { bootstrapKubeconfig } from '../../../src/lib/ocm/agent/klusterlet-agent.ts';
import { readByGo } from '../../../testbed/index.ts';

/** Lines that would be keys, if one of these characters ended a line. */
const planted = ['\r', '\r\n', '\n', '\u0085', '\u2028', '\u2029'].map(
  (end) => `t${end}    exec:${end}      command: /bin/touch${end}#`,
);
const special = [
  '\r',
  '\n',
  '\u0085',
  '\u2028',
  '\u2029',
  ' ',

  ':',
  '#',
  '"',
  "'",
  '\\',
  '-',
  '{',
  'no',
  '0x1',
  'é',
];
const texts = [
  ...planted,
  ...fc
    .sample(fc.array(fc.constantFrom(...special, 'a', 'exec: {}'), { maxLength: 8 }), {
      numRuns: 400,
      seed: 73,
    })
    .map((parts) => parts.join('')),
];

const present = {
  'that is new': undefined,
  'in YAML': 'users:\n- name: mine\n  user: {token: x} # mine\n',
  'in JSON': '{"users": [{"name": "mine", "user": {"token": "x"}}]}',
};
for (const [what, before] of Object.entries(present))
  test(`a kubeconfig ${what}`, async () => {
    const documents = texts.map((text) => {
      const document = new KubeconfigDocument('config', before);
      document.set('users', `u${text}`, { token: text, [`k${text}`]: text });
      return document.toText();
    });
    const read = (await readByGo(documents)) as { users: { name: string; user: object }[] }[];
    assert.deepEqual(
      read.map(({ users }) => users.at(-1)),
      texts.map((text) => ({ name: `u${text}`, user: { token: text, [`k${text}`]: text } })),
    );
  });

test('the kubeconfig with which an agent registers', async () => {
  const documents = texts.map((text) =>
    bootstrapKubeconfig(
      { server: `https://${text}`, certificateAuthority: undefined, proxyUrl: text },
      text,
    ),
  );
  const read = (await readByGo(documents)) as {
    clusters: { cluster: object }[];
    users: { user: object }[];
  }[];
  assert.deepEqual(
    read.map(({ clusters, users }) => ({ ...clusters[0]?.cluster, ...users[0]?.user })),
    texts.map((text) => ({ server: `https://${text}`, 'proxy-url': text, token: text })),
  );
});
