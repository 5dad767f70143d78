import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { makeHosting } from '../../../../../src/lib/spaces/install/make-hosting.ts';
import { run } from '../../../support/builders.ts';
import { newPath } from '../../../support/folder.ts';

const named = (name: string) => ({ name, context: { cluster: name, user: name } });

test('a current context that is not the hosting cluster must be given explicitly', async () => {
  const file = newPath();
  const extension = { data: { 'hosting-cluster-ctx-name': 'kind-kubeflex' } };
  const kubeconfig = {
    contexts: [named('kind-kubeflex'), named('kind-cluster1')],
    'current-context': 'kind-cluster1',
    extensions: [{ name: 'kubeflex', extension }],
  };
  await writeFile(file, JSON.stringify(kubeconfig));
  const tools = { target: { file, env: {} }, programs: { env: {} }, run: run() };
  const making = makeHosting(
    { context: undefined, create: undefined, init: {} as never },
    tools as never,
  );
  await assert.rejects(making, {
    code: 'usage',
    message: 'The hosting cluster is kind-kubeflex, and the current context is kind-cluster1.',
  });
});
