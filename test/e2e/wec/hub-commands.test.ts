/**
 * The commands that need nothing but ITSs: label, wec list, its token and its use. They share their control planes, of which the
 * second is a hub as OCM made them before 0.11, with more WECs than one page holds.
 */
import { after, before } from 'node:test';
import { startBed } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { announceMany } from '../support/pretended-agents.ts';
import { testLabel } from './hub-commands/label.ts';
import { testEmptyList, testList, testLongWatch } from './hub-commands/list.ts';
import type { Surroundings } from './hub-commands/surroundings.ts';
import { testToken } from './hub-commands/token.ts';
import { testUse } from './hub-commands/use.ts';

const surroundings = {} as Surroundings;

before(async () => {
  const planes = [{ name: 'its1', hub: true }, { name: 'its2', hub: { olderBootstrap: true } }, { name: 'wec' }];
  const bed = await startBed({ planes });
  Object.assign(surroundings, { bed, hub: bed.plane('its1'), older: bed.plane('its2') });
  surroundings.cli = await Cli.create(bed.kubeconfig);
  let interrupt = () => {};
  const onStart = (kill: (signal: NodeJS.Signals) => void) => {
    interrupt = () => kill('SIGINT');
  };
  const ended = surroundings.cli.run(['wec', 'list', '--watch'], { onStart });
  surroundings.watch = { started: Date.now(), ended, interrupt };
  surroundings.manyNames = Array.from({ length: 510 }, (_, index) => `many-${index + 1}`);
  await announceMany(surroundings.older, surroundings.manyNames);
});

after(async () => {
  surroundings.watch?.interrupt();
  await surroundings.cli?.remove();
  await surroundings.bed?.stop();
});

testEmptyList(surroundings);
testLabel(surroundings);
testList(surroundings);
testToken(surroundings);
testUse(surroundings);
testLongWatch(surroundings);
