/** Registration with a hub of the real OCM 1.2.1. */
import { after, before, it } from 'node:test';
import { type Bed, type Plane, startBed } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;

before(async () => {
  const planes = [{ name: 'its1', hub: { version: 'v1.2.1' } }, { name: 'cluster1' }];
  bed = await startBed({ planes, hasNewerOcm: true });
  its1 = bed.plane('its1');
  cli = await Cli.create(await contextsOf(its1, bed.plane('cluster1')));
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

it('joins a cluster, finds nothing wrong with it, and deregisters it', async () => {
  await cli.succeed(['wec', 'join', 'cluster1', '--accept', '--its', 'its1']);
  await assertAvailable(its1, 'cluster1');
  await cli.succeed(['doctor']);
  await cli.succeed(['deregister', 'cluster1=cluster1', '--its', 'its1', '--cleanup', '--yes']);
});
