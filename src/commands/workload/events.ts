import { errorOf, ifSeen, tryRead } from '../../lib/kube/access.ts';
import type { Definition } from '../common/define.ts';
import { age } from '../common/lines.ts';
import { wdsOptions } from '../common/options.ts';
import { parseWecArguments } from '../common/wec-argument.ts';
import { namespaceOption, objectArguments, wecsOption } from './get.ts';

export const definition: Definition<{ namespace?: string; wec?: string[] }> = {
  description:
    'Shows the events of a workload object and of its pods on all WECs that it is sent to: what the scheduler, kubelets and controllers there report. A WEC is read by the context of its name, one such as kind-NAME, or that of --wec, once it is proven to lead to it. A WEC that cannot be read does not stop the others.',
  formats: ['table', 'json', 'yaml'],
  examples: [['stellarctl workload events deployment/web -n shop', 'on all WECs']],
  arguments: objectArguments,
  options: [namespaceOption, wecsOption(), ...wdsOptions()],
  async run(session, { namespace, wec = [] }, words) {
    const { parseObject } = await import('../../lib/workloads/delivery/workload.ts');
    const { findSources } = await import('../../lib/workloads/logs.ts');
    const { readEvents } = await import('../../lib/workloads/events.ts');
    const wecs = await session.wecs(parseWecArguments(wec));
    const wds = await session.wds();
    const { sources, errors } = await findSources(parseObject(words, namespace), wds, wecs);
    const read = await Promise.all(sources.map((source) => tryRead(() => readEvents(source))));
    const items = read.flatMap((each) => ifSeen(each) ?? []);
    const now = wds.kube.now();
    const rows = items.map((item) => ({ ...item, name: item.object }));
    await session.print({ items }, rows, {
      WEC: ({ wec }) => wec,
      LAST: ({ last }) => (last === null ? '' : age(last, now)),
      TYPE: ({ type }) => type,
      REASON: ({ reason }) => reason,
      OBJECT: ({ object }) => object,
      MESSAGE: ({ message }) => message,
    });
    const failures = [...errors, ...read.flatMap((each) => errorOf(each) ?? [])];
    if (items.length + failures.length === 0)
      session.progress.note('Its WECs have no events of it: they keep them for an hour.');
    session.incomplete(failures);
  },
};
