import { Option } from 'commander';
import { command } from '../../lib/core/next-step.ts';
import type { SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import { confirmRepair } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, hostingContextOption, yesOption } from '../common/options.ts';

type Options = { its?: string };

const itsOption = new Option('--its <its>', 'the ITS to use, by its name or a context');

/** What is asked. */
const asked: Readonly<Record<SpaceRole, string>> = {
  its: 'restart what takes images from elsewhere than the hooks name',
  wds: 'restart what takes images from elsewhere than the hooks name, and leave what was sent through another ITS on its WECs',
};

/** `its repair` and `wds repair`. */
export function definition(role: SpaceRole): Definition<Options> {
  const noun = role.toUpperCase();
  const what =
    role === 'its'
      ? 'Removes failed Jobs of its hooks, so that KubeFlex recreates them, which it never does by itself, and has its address published again if that is missing. Asks before it restarts what takes images from elsewhere than the hooks name.'
      : 'Corrects the ITS of its transport (KubeStellar 0.30 cannot name one), and removes failed Jobs, so that KubeFlex recreates them. Asks before it restarts what takes images from elsewhere than the hooks name, as `wds restart` does.';
  return {
    description: `${what} Then waits until the ${noun} is ready, and writes its context. Changes nothing if nothing is broken.`,
    timeout: '10m',
    examples: [
      [
        command`stellarctl ${role} repair ${role}1`,
        `let ${role}1 become ready after the cause of the failure is fixed`,
      ],
    ],
    arguments: [['<name>', `the name of the ${noun}`]],
    options: [
      ...(role === 'wds' ? [itsOption] : []),
      yesOption(`${asked[role]}, without confirmation`),
      hostingContextOption(),
      dryRunOption(),
    ],
    async run(session, { its }, [name = '']) {
      const { repairSpace } = await import('../../lib/maintenance/repair-space.ts');
      const { nameOfIts } = await import('../../lib/spaces/choose/its-choice.ts');
      const tools = await session.hostingToWrite();
      const input = {
        name,
        role,
        itsName: its && nameOfIts(its, tools),
        confirm: confirmRepair(session, name),
      };
      await session.finish([await repairSpace(input, tools, session.run)]);
      session.next(command`stellarctl ${role} get ${name}`);
    },
  };
}
