import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireHooks } from '../../../../src/lib/spaces/space-requirements.ts';
import { MemoryCluster } from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

const wanted = ['its-hub-init', 'install-status-addon'];
const requiring = (...present: string[]) =>
  requireHooks(
    new MemoryCluster(present.map((name) => ({ kind: 'PostCreateHook', metadata: { name } }))).kube,
    wanted,
  );

describe('the hooks of a control plane', () => {
  test('are missing if KubeStellar is not installed', () =>
    assert.rejects(
      requiring(),
      failsWith({
        code: 'hook-missing',
        message:
          /^kind-kubeflex \(.*\) has no post-create hook its-hub-init and no install-status-addon: it has none/,
        steps: 'Install them: stellarctl init --hosting-context kind-kubeflex',
      }),
    ));
  test('are reported missing one by one', () =>
    assert.rejects(requiring('its-hub-init'), {
      message: /has no post-create hook install-status-addon: it has its-hub-init/,
    }));
});
