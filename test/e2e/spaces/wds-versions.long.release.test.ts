/** WDSes with one ITS and with several. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AnyObject, type Plane, resources } from '../../../testbed/index.ts';
import { inRelease } from '../support/in-release.ts';
import { type HostingBed, type SpaceCli, startHosting } from '../support/spaces.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;

before(async () => {
  // The chart gives its transport a name and a selector for the ITS; the transport accepts only one of them.
  const values = {
    ITSes: [{ name: 'its1', type: 'host' }],
    WDSes: [{ name: 'wds1', type: 'host', ITSName: 'its1' }],
  };
  all = await startHosting([], { values });
  ({ cli, hosting } = all);
});

after(() => all?.stop());

describe("a WDS that KubeStellar 0.30's own chart has created with the name of its ITS", () => {
  const defect = /a name and a selector for the ITS/;

  it('is reported as not starting, with the reason', async () => {
    assert.match((await cli.type('its create its1 --type host')).stdout, /^its1: ready/);
    const run = await cli.run(['wds', 'create', 'wds1', '--type', 'host']);
    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, defect);
    assert.match(run.stderr, /stellarctl wds repair wds1/);
    const view = (await cli.type('wds get wds1 -o json')).json();
    assert.equal(view.blockedAt.stage, 'transport-controller');
    assert.match(view.diagnosis.problem, defect);
    assert.match(view.diagnosis.next, /stellarctl wds repair wds1/);
    assert.deepEqual(view.its, { name: 'its1', named: true });
  });

  it('is repaired', async () => {
    const { stdout, stderr } = await cli.type('wds repair wds1');
    assert.match(stderr, /ITS set to its1/);
    assert.match(stdout, /^wds1: ready · context wds1/);
  });

  it('is distinguished from those of a second ITS, and repaired again', inRelease, async () => {
    const second = await cli.type('its create its2 --type host --no-ocm');
    assert.match(second.stderr, /^wds1 names no ITS: .*stellarctl wds repair wds1 --its ITS/m);
    assert.match((await cli.type('wds get wds1')).stdout, /^ {2}ITS +unknown/m);
    await cli.type('wds repair wds1 --its its2');
    const view = (await cli.type('wds get wds1 -o json')).json();
    assert.deepEqual([view.ready, view.its], [true, { name: 'its2', named: true }]);
    assert.deepEqual(view.hooks, ['kubestellar-controller', 'stellarctl-transport-controller']);
    const transport = await hosting.admin.get<AnyObject>(
      resources.deployments,
      'wds1-system/transport-controller',
    );
    assert.match(JSON.stringify(transport.spec), /--control-plane-name","its2"/);
  });
});
