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
      ? 'Removes failed Jobs of its hooks, so that KubeFlex recreates them, which it never does by itself.'
      : 'Corrects the ITS of its transport (KubeStellar 0.30 cannot name one), and removes failed Jobs, so that KubeFlex recreates them.';
  const repair = defineCommand('repair', {
    summary: `repair ${aSpace(role)} that does not become ready`,
    description: `${what} Then waits until the ${noun} is ready, and writes its context. Changes nothing if nothing is broken.`,
    timeout: '10m',
    examples: [
      [
        command`stellarctl ${role} repair ${role}1`,
        `let ${role}1 become ready after the cause of the failure is fixed`,
      ],
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
  if (role === 'wds') repair.addOption(new Option('--its-name <its>', 'the ITS to use'));
  return repair;
}
