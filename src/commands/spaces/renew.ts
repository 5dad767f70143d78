import { command } from '../../lib/core/next-step.ts';
import type { SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, hostingContextOption } from '../common/options.ts';

/** `its renew` and `wds renew`. */
export function definition(role: SpaceRole): Definition {
  const noun = role.toUpperCase();
  return {
    description: `Renews what ends by itself: the token by which pods reach an external ${noun}, after which the controllers of the WDSes that have read the former one are restarted and workloads kept; and the context of the ${noun} in the kubeconfig. Contexts of roles are renewed by context --role.`,
    timeout: '10m',
    examples: [[command`stellarctl ${role} renew ${role}1`, 'renew the credentials for it']],
    arguments: [['<name>', `the name of the ${noun}`]],
    options: [hostingContextOption(), dryRunOption()],
    async run(session, _options, [name = '']) {
      const { renewToken } = await import('../../lib/maintenance/renew-credentials.ts');
      const { writeContext } = await import('../../lib/spaces/write-context.ts');
      const tools = await session.hostingToWrite();
      await renewToken(name, tools, session.run);
      const { changed, ...written } = await writeContext(
        { name, role, exportTo: undefined },
        tools,
        session.run,
      );
      session.progress.done(name, changed ? 'context renewed' : 'its context is up to date');
      await session.finish([{ ...written, changed: changed && !session.run.dryRun }]);
      session.next(command`stellarctl ${role} get ${name}`);
    },
  };
}
