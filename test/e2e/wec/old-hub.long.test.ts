/** An ITS of a Kubernetes before 1.30, which does not record with which token a request was sent. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Plane, resources, writeKubeconfig } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { ask, stateOf } from '../support/pretended-agents.ts';
import { assertAvailable } from '../support/registration.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';
import { WriteProxy } from '../support/write-proxy.ts';

const account = 'open-cluster-management/stellarctl-bootstrap-cluster1';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let old: WriteProxy;

/** The answers of Kubernetes 1.27, as far as they differ here. */
const asOld = (text: string) =>
  text
    .replace(/"minor": ?"\d+"/, '"minor":"27"')
    .replace(/"authentication\.kubernetes\.io\/credential-id": ?\[[^\]]*\],?/g, '');

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }, { name: 'cluster1' }]);
  its1 = bed.plane('its1');
  old = await WriteProxy.start(its1, () => {}, { rewrite: asOld });
  const kubeconfig = await writeKubeconfig(its1, [
    old.entry,
    bed.plane('cluster1').kubeconfigEntry,
  ]);
  cli = await Cli.create(kubeconfig);
});

after(async () => {
  await cli?.remove();
  old?.stop();
  await leaveBed();
});

const accounts = async () => {
  const { items } = await its1.admin.list(resources.serviceAccounts, {
    namespace: 'open-cluster-management',
  });
  return items.map(({ metadata }) => `open-cluster-management/${metadata.name}`);
};

describe('on an ITS that does not record tokens, a join in mode Default', () => {
  it("approves the request of its own account, and leaves another cluster's request for the name alone", async () => {
    const strange = await ask(its1, 'cluster1');
    let seen: string[] = [];
    await cli.succeed(
      ['wec', 'join', 'cluster1', '--mode', 'Default', '--accept', '--its', 'its1'],
      {
        whenPrinted: {
          text: /klusterlet applied/,
          act: async () => {
            seen = await accounts();
          },
        },
      },
    );
    await assertAvailable(its1, 'cluster1');
    assert.equal(await stateOf(its1, strange), 'pending');
    assert.ok(seen.includes(account), 'the agent had an account of its own');
    assert.ok(
      !(await accounts()).includes(account),
      'the account is removed when the WEC has joined',
    );
  });
});
