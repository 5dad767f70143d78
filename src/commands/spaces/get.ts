import { command } from '../../lib/core/next-step.ts';
import type { SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import type { Definition } from '../common/define.ts';
import { hostingContextOption } from '../common/options.ts';

/** `its get` and `wds get`. */
export function definition(role: SpaceRole): Definition {
  const noun = role.toUpperCase();
  return {
    description: `Shows the stages of the ${noun}, on the hosting cluster and inside it, with the evidence for each. The last lines say what is wrong, with the log of what failed, and the command that fixes it.`,
    examples: [[command`stellarctl ${role} get ${role}1`, 'its stages']],
    arguments: [['<name>', `the name of the ${noun}`]],
    options: [hostingContextOption()],
    async run(session, _options, [name = '']) {
      const { getSpace } = await import('../../lib/spaces/get-space.ts');
      const { spaceLines } = await import('./get-text.ts');
      const tools = await session.spaceTools();
      const view = await getSpace(name, role, tools);
      await session.show(view, (style) => spaceLines(view, tools.hosting.now(), style));
      if (session.isForPeople && view.diagnosis) session.next(...view.diagnosis.steps);
    },
  };
}
