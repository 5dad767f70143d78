import { command } from '../../lib/core/next-step.ts';
import { removalsOf } from '../../lib/core/read-confirmed.ts';
import { lostBy } from '../../lib/forecast/losses.ts';
import type { Unguarding } from '../../lib/maintenance/guard-wds.ts';
import type { RestartPlan } from '../../lib/maintenance/restart-plan.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { describeTaken } from '../common/forecast-text.ts';
import {
  dryRunOption,
  hostingContextOption,
  maxRemovedOption,
  yesOption,
} from '../common/options.ts';

export const guard: Definition = {
  description:
    "Keeps the workloads of a WDS running whenever KubeStellar's controller manager starts, which empties all Bindings for a while: a ValidatingAdmissionPolicy in the WDS refuses that. What it costs: objects that are all deleted in the WDS stay on their WECs until `stellarctl policy prune`, and meanwhile the WECs of that policy do not change. The API server of type k8s is changed first, after asking.",
  timeout: '10m',
  examples: [
    ['stellarctl wds guard wds1', 'guard it, and show what the guard keeps in `policy list`'],
  ],
  arguments: [['<name>', 'the name of the WDS']],
  options: [
    yesOption('restart its API server without confirmation'),
    hostingContextOption(),
    dryRunOption(),
  ],
  async run(session, _options, [name = '']) {
    const { guardWds } = await import('../../lib/maintenance/guard-wds.ts');
    const tools = await session.hostingToWrite();
    const confirm = confirming<RestartPlan>(session, {
      show: () =>
        session.progress.note(
          `  The API server of ${name} and the controllers of KubeStellar restart. Nothing is sent meanwhile; workloads keep running.`,
        ),
      confirmations: () => [{ verb: 'Restart', name }],
    });
    const result = await guardWds(name, confirm, tools, session.run);
    if (result.sharedWith.length > 0)
      session.progress.note(
        `  ${result.sharedWith.join(', ')} ${result.sharedWith.length === 1 ? 'has' : 'have'} the same guard: it is that of the hosting cluster.`,
      );
    await session.finish([result]);
    session.next(command`stellarctl policy list --wds ${name}`);
  },
};

export const unguard: Definition<{ maxRemoved?: number }> = {
  description:
    'Shows what the guard of a WDS keeps on its WECs, asks, and deletes the guard: KubeStellar then removes that. WDSes of type host have one guard, which all of them lose. The API server keeps its flags.',
  timeout: '2m',
  destroys: true,
  examples: [
    ['stellarctl wds unguard wds1', 'a restart of its controllers removes workloads again'],
  ],
  arguments: [['<name>', 'the name of the WDS']],
  options: [yesOption(), maxRemovedOption(), hostingContextOption(), dryRunOption()],
  async run(session, { maxRemoved }, [name = '']) {
    const { unguardWds } = await import('../../lib/maintenance/guard-wds.ts');
    const { hasGuard } = await import('../../lib/spaces/guard.ts');
    const tools = await session.hostingToWrite();
    const confirm = confirming<Unguarding>(session, {
      show: ({ effects, sharedWith }) => {
        session.foresees(effects);
        session.noteLines(describeTaken(effects), '  ');
        for (const other of sharedWith)
          session.progress.note(`  ${other} loses its guard as well.`);
      },
      confirmations(found) {
        if (!hasGuard(found.guard)) return [];
        const removals = removalsOf(lostBy(found.effects), maxRemoved);
        return [{ verb: 'Unguard', name, removals }];
      },
    });
    await session.finish([await unguardWds(name, confirm, tools, session.run)]);
  },
};
