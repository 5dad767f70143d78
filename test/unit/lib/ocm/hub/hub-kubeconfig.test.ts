import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { parseClusterInfo } from '../../../../../src/lib/ocm/hub/hub-kubeconfig.ts';
import { base64 } from '../../../support/builders.ts';

const kubeconfig = (cluster: object) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: '', cluster }],
    contexts: null,
    'current-context': '',
  });
const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

test('server and authority are read', () => {
  const info = parseClusterInfo(
    kubeconfig({
      server: 'https://its1-control-plane:6443/',
      'certificate-authority-data': base64(pem),
    }),
  );
  assert.deepEqual(info, { server: 'https://its1-control-plane:6443', certificateAuthority: pem });
});

test('a missing authority stays missing', () => {
  assert.deepEqual(parseClusterInfo(kubeconfig({ server: 'https://h' })), {
    server: 'https://h',
    certificateAuthority: undefined,
  });
  assert.deepEqual(
    parseClusterInfo(kubeconfig({ server: 'https://h', 'certificate-authority-data': '' })),
    { server: 'https://h', certificateAuthority: undefined },
  );
});

test('as in Go, the last key counts, and unknown fields and null lists change nothing', () => {
  const text =
    'novel: 1\ncontexts: null\nusers: null\nclusters:\n- cluster:\n    server: https://old\n    server: https://new\n    novel: 1\n';
  assert.equal(parseClusterInfo(text)?.server, 'https://new');
  assert.equal(parseClusterInfo('clusters: null'), undefined);
});

test('an address is kept as it was written: an agent registers again where its spelling changes', () => {
  for (const server of [
    'https://Its1.Example:443',
    'https://[FD00::1]:6443',
    'https://a/k8s/clusters/c-1',
  ])
    assert.equal(parseClusterInfo(kubeconfig({ server }))?.server, server);
});

test('JSON is read as well', () =>
  assert.equal(
    parseClusterInfo('{"clusters":[{"cluster":{"server":"https://h"}}]}')?.server,
    'https://h',
  ));

describe('nothing is read', () => {
  const nothing: Record<string, string | undefined> = {
    'where there is no ConfigMap': undefined,
    'of an empty text': '',
    'of a text': 'hello',
    'of what is not YAML': 'a: [',
    'of a kubeconfig without clusters': 'clusters: []',
    'of a server that is no text': kubeconfig({ server: 6443 }),
    'of a server that is no URL': kubeconfig({ server: 'its1-control-plane' }),
    'of a server of further lines': JSON.stringify({
      clusters: [{ cluster: { server: 'https://h/\u2028 a: b' } }],
    }),
    'of clusters that are no list': 'clusters: 7',
  };
  for (const [what, text] of Object.entries(nothing))
    test(what, () => assert.equal(parseClusterInfo(text), undefined));
  // An agent would send its token unencrypted, and our own join file rejects such an address.
  test('from a server without TLS', () =>
    assert.equal(parseClusterInfo(kubeconfig({ server: 'http://h' })), undefined));
});
