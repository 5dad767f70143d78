import type { Definition } from '../common/define.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';

interface Options extends WdsOptions {
  namespace?: string;
}

export const definition: Definition<Options> = {
  description:
    'Shows the status that each WEC has returned for an object, whether or not a policy asks for it, and the tables that status collectors have made from it.',
  timeout: '30s',
  examples: [
    ['stellarctl workload status deployment/web -n shop', 'a line for each WEC, then the tables'],
    ['stellarctl workload status deployment/web -n shop -o json', 'the statuses themselves'],
  ],
  arguments: [['<object>', 'KIND/NAME, or KIND.GROUP/NAME']],
  options: [['-n, --namespace <namespace>', 'its Namespace, if it has one (default: default)'], ...wdsOptions()],
  async run(session, { namespace }, [text = '']) {
    const { parseObject } = await import('../../lib/workloads/workload.ts');
    const { getReturned } = await import('../../lib/workloads/returned.ts');
    const { view, errors } = await getReturned(parseObject(text, namespace), await session.wds());
    const { describeReturned } = await import('./status-text.ts');
    await session.show(view, () => describeReturned(view));
    session.incomplete(errors);
  },
};
