import { command } from '../../lib/core/next-step.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, hostingContextOption } from '../common/options.ts';

export const restart: Definition<{ recreate?: boolean }> = {
  description:
    "Restarts KubeStellar's controllers of a WDS and keeps its workloads running: a controller manager that starts empties the Bindings for a while, so the transport is stopped until they are complete again. Changes are not sent meanwhile. It can be rerun to finish a restart that was interrupted.",
  timeout: '10m',
  examples: [
    ['stellarctl wds restart wds1', 'restart its controllers, or finish a restart'],
    ['stellarctl wds restart wds1 --recreate', 'have KubeFlex create them anew'],
  ],
  arguments: [['<name>', 'the name of the WDS']],
  options: [
    ['--recreate', 'have KubeFlex create them anew, by the hooks that are installed now'],
    hostingContextOption(),
    dryRunOption(),
  ],
  async run(session, { recreate = false }, [name = '']) {
    const { restartWds } = await import('../../lib/maintenance/restart-wds.ts');
    const tools = await session.hostingToWrite();
    await session.finish([await restartWds(name, recreate, tools, session.run)]);
    session.next(command`stellarctl policy list --wds ${name}`);
  },
};

export const upgrade: Definition = {
  description:
    "Upgrades KubeStellar's controllers of a WDS to the version of the installed hooks, after `init --upgrade`: KubeFlex creates them anew. Workloads keep running, and changes are not sent meanwhile. Adds the variables that newer hooks need. It can be rerun to finish an upgrade that was interrupted.",
  timeout: '10m',
  examples: [['stellarctl wds upgrade wds1', 'upgrade its controllers, or finish an upgrade']],
  arguments: [['<name>', 'the name of the WDS']],
  options: [hostingContextOption(), dryRunOption()],
  async run(session, _options, [name = '']) {
    const { upgradeWds } = await import('../../lib/maintenance/restart-wds.ts');
    const tools = await session.hostingToWrite();
    await session.finish([await upgradeWds(name, tools, session.run)]);
    session.next(command`stellarctl policy list --wds ${name}`);
  },
};
