import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ConnectionError,
  readHubConnection,
} from '../../../../../src/lib/ocm/hub/hub-connection.ts';

test('connection failures of an agent are distinguished by the messages of its libraries', () => {
  const post = 'Post "https://hub:6443/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": ';
  // As recorded with OCM 1.3.1.
  const words: [string, ConnectionError][] = [
    [`${post}dial tcp: lookup hub on 10.96.0.10:53: no such host`, 'other'],
    [`${post}dial tcp 10.0.0.1:6443: connect: connection refused`, 'other'],
    [`${post}dial tcp 10.0.0.1:6443: i/o timeout`, 'other'],
    [
      `${post}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      'unknown-authority',
    ],
    [
      `${post}tls: failed to verify certificate: x509: certificate is valid for a, b, not hub`,
      'other',
    ],
    ['Unauthorized', 'unauthorized'],
    [`${post}EOF`, 'other'],
  ];
  for (const [said, kind] of words) {
    const connection = readHubConnection({
      status: 'True',
      reason: 'BootstrapSecretError,HubKubeConfigSecretMissing',
      message: `Failed to create &SelfSubjectAccessReview{…} with bootstrap secret "open-cluster-management-agent" "bootstrap-hub-kubeconfig": ${said}\nFailed to get hub kubeconfig secret`,
    });
    assert.deepEqual([connection.bootstrap, connection.error.kind], ['Error', kind], said);
  }
});
