import { Option } from 'commander';
import { removalsOf } from '../../lib/core/read-confirmed.ts';
import { lostBy } from '../../lib/forecast/losses.ts';
import type { SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import type { DeletionOptions } from '../../lib/spaces/delete-control-plane.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  hostingContextOption,
  maxRemovedOption,
  yesOption,
} from '../common/options.ts';
import type { SpaceToDelete } from './delete-text.ts';

type Options = DeletionOptions & { maxRemoved?: number };

interface Texts {
  description: string;
  examples: [command: string, what: string][];
  force: string;
}

const texts: Record<SpaceRole, Texts> = {
  its: {
    description:
      'Shows what depends on the ITS, asks, deletes it, waits until it is gone from the hosting cluster, and removes its context from the kubeconfig. Refuses while WECs are registered or WDSes use it. A host or external cluster behind it stays, with OCM in it.',
    examples: [
      ['stellarctl its delete its1', 'show what depends on it, and delete it'],
      ['stellarctl its delete its1 --yes', 'in a script, without confirmation'],
    ],
    force: 'delete an ITS that WECs are registered with, or that does not answer',
  },
  wds: {
    description:
      'Shows what the WDS has sent to WECs, asks, deletes its binding policies, waits until their workloads are gone from the WECs, deletes the WDS, and removes its context from the kubeconfig. With --keep-workloads, the workloads keep running.',
    examples: [
      ['stellarctl wds delete wds1', 'delete it, with the workloads that it has sent'],
      [
        'stellarctl wds delete wds1 --keep-workloads',
        'keep the workloads running, without an owner',
      ],
      [
        'stellarctl wds delete wds1 --yes --max-removed 2',
        'in a script, if it has sent workloads to 2 WECs',
      ],
    ],
    force:
      'delete a WDS even if what it has sent cannot be seen, or agents that would have to remove it are not running',
  },
};

/** `its delete` and `wds delete`. */
export function definition(role: SpaceRole): Definition<Options> {
  const { force, ...text } = texts[role];
  return {
    ...text,
    timeout: '5m',
    destroys: true,
    arguments: [['<name>', 'its name']],
    options: [
      yesOption(),
      ...(role === 'wds'
        ? [new Option('--keep-workloads', 'keep the workloads running'), maxRemovedOption()]
        : []),
      ['--force', force],
      hostingContextOption(),
      dryRunOption(),
    ],
    async run(session, { maxRemoved, ...options }, [name = '']) {
      const { deletionOfSpaces } = await import('./delete-text.ts');
      const remove =
        role === 'its'
          ? (await import('../../lib/spaces/delete-control-plane.ts')).deleteIts
          : (await import('../../lib/maintenance/delete-wds.ts')).deleteWds;
      const tools = await session.hostingToWrite();
      const confirm = confirming<SpaceToDelete>(session, {
        show: (space) => {
          if (space.role === 'wds') session.foresees(space.effects);
          if (space.controlPlane.object !== undefined) session.progress.note(name);
          session.noteLines(deletionOfSpaces(space), '  ');
        },
        confirmations: (space) =>
          space.controlPlane.object === undefined
            ? []
            : [
                {
                  verb: 'Delete',
                  name,
                  removals:
                    space.role === 'its' || space.keep
                      ? undefined
                      : removalsOf(lostBy(space.effects), maxRemoved),
                },
              ],
      });
      await session.finish([await remove({ ...options, name, confirm }, tools, session.run)]);
    },
  };
}
