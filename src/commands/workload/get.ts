import type { Definition } from '../common/define.ts';
import { type WdsOptions, wdsOptions } from '../common/options.ts';
import { isForPeople } from '../terminal/io.ts';

interface Options extends WdsOptions {
  namespace?: string;
}

export const definition: Definition<Options> = {
  description:
    'Follows an object of a WDS to the WECs: which policies select it, and whether it is in their Bindings, in the mailbox of each WEC, applied, available, and its status returned. A line for each policy and WEC names the first stage that is not met, with the command that fixes it.',
  timeout: '30s',
  examples: [
    ['stellarctl workload get deployment/web -n shop', 'where it is, and what blocks it'],
    ['stellarctl workload get deployment/web -n shop -o wide', 'every stage on the way to each WEC'],
    ['stellarctl workload get gadgets.example.com/g1 --wds wds2 -o json', 'the same for scripts'],
  ],
  arguments: [['<object>', 'KIND/NAME, or KIND.GROUP/NAME']],
  options: [['-n, --namespace <namespace>', 'its Namespace, if it has one (default: default)'], ...wdsOptions()],
  async run(session, { namespace }, [text = '']) {
    const { getWorkload, parseObject } = await import('../../lib/workloads/workload.ts');
    const named = parseObject(text, namespace);
    const wds = await session.wds();
    const { view, errors } = await getWorkload(named, wds);
    // The error below says it.
    const isMissing = view.deliveries.length === 1 && view.deliveries[0]?.code === 'object-missing';
    if (isForPeople(session.output) && isMissing) session.progress.stop();
    else {
      const { describeWorkload } = await import('./get-text.ts');
      await session.show(view, (style, isWide) => describeWorkload(view, wds.kube.now(), style, isWide));
    }
    session.incomplete(errors);
    const broken = view.deliveries.find(({ blockedAt }) => blockedAt !== null);
    if (isForPeople(session.output) && broken?.next) session.next(broken.next);
  },
};
