import { type Command, Option } from 'commander';
import { command } from '../../lib/engine/command-line.ts';
import { aSpace, type SpaceRole } from '../../lib/spaces/names.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../shell/action.ts';
import {
  defineCommand,
  dryRunOption,
  type HostingOptions,
  hostingContextOption,
  type WritingOptions,
} from '../shell/options.ts';

interface Options extends HostingOptions, WritingOptions {
  itsName?: string;
}

/** `its repair` and `wds repair`. */
export function spaceRepairCommand(io: Io, role: SpaceRole): Command {
  const noun = role.toUpperCase();
  const what =
    role === 'its'
      ? 'Removes Jobs of its hooks that have failed, so that KubeFlex makes them anew, which it never does by itself.'
      : 'Gives its transport an ITS that it can be told (KubeStellar 0.30 cannot name one), and removes Jobs that have failed, so that KubeFlex makes them anew.';
  const repair = defineCommand('repair', {
    summary: `repair ${aSpace(role)} that does not become ready`,
    description: `${what} Then it waits until the ${noun} is ready, and writes its context. Where nothing is broken, nothing is changed.`,
    timeout: '10m',
    examples: [
      [command`stellarctl ${role} repair ${role}1`, `let ${role}1 come up after its cause of failure has gone`],
    ],
  })
    .argument('<name>', `the name of the ${noun}`)
    .addOption(hostingContextOption())
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, { itsName }, [name = '']) => {
        const { repairSpace } = await import('../../lib/spaces/repair.ts');
        const tools = await session.spaceTools();
        session.announce(tools.hosting, 'Hosting cluster');
        await session.finish([await repairSpace({ name, role, itsName }, tools, session.run)]);
        session.next(command`stellarctl ${role} get ${name}`);
      }),
    );
  if (role === 'wds') repair.addOption(new Option('--its-name <its>', 'the ITS that it is to use from now on'));
  return repair;
}
