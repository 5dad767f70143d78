import { command, textOf } from '../../lib/core/next-step.ts';
import type { SpaceRole } from '../../lib/ocm/kubeflex-names.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, type HostingOptions, hostingContextOption, type WritingOptions } from '../common/options.ts';

type Options = HostingOptions & WritingOptions & { export?: string; use?: true };

/** `its context` and `wds context`. */
export function definition(role: SpaceRole): Definition<Options> {
  const noun = role.toUpperCase();
  return {
    description: `Reads the address and the credentials of the ${noun} from the hosting cluster and writes its context into the kubeconfig, or with --export into a kubeconfig of its own. A context of that name that leads to another cluster is not replaced. The current context stays as it is, unless --use is given.`,
    timeout: '30s',
    examples: [
      [command`stellarctl ${role} context ${role}1`, `write the context ${role}1`],
      [command`stellarctl ${role} context ${role}1 --use`, 'also make it the current context, as kflex ctx does'],
      [
        command`stellarctl ${role} context ${role}1 --export ${role}1.kubeconfig`,
        'write a kubeconfig with this context only',
      ],
    ],
    arguments: [['<name>', `the name of the ${noun}`]],
    options: [
      [
        '--export <file>',
        'write it to FILE, which only you can read; FILE is not overwritten if it holds anything else',
      ],
      ['--use', 'make it the current context'],
      hostingContextOption(),
      dryRunOption(),
    ],
    async run(session, { export: exportTo, use }, [name = '']) {
      const { writeContext } = await import('../../lib/spaces/write-context.ts');
      const tools = await session.spaceTools();
      const { changed, ...written } = await writeContext(
        { name, role, exportTo, makeCurrent: use },
        tools,
        session.run,
      );
      const { context, file } = written;
      const isTrial = session.run.dryRun === true;
      const verb = exportTo === undefined && tools.kubeconfig.contexts.has(context) ? 'update' : 'create';
      if (isTrial && changed) session.record({ verb, cluster: 'the kubeconfig', kind: 'context', name: context });
      else if (changed) session.progress.done(name, `context ${context} written to ${file}`);
      else session.progress.done(name, `context ${context} in ${file} is up to date; nothing to do`);
      await session.finish([{ ...written, changed: changed && !isTrial }]);
      const from = exportTo === undefined ? [] : ['--kubeconfig', file];
      const { kubectlOn } = await import('../../lib/spaces/entrance-checks.ts');
      session.next(textOf(await kubectlOn(written, [...from, 'get', 'namespaces'])));
    },
  };
}
