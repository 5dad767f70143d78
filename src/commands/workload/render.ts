import { Option } from 'commander';
import type { Definition } from '../common/define.ts';
import { wdsOptions } from '../common/options.ts';
import { checkWecName } from '../common/wec-argument.ts';
import { namespaceOption, objectArguments } from './get.ts';

type Options = { namespace?: string; wec: string };

export const definition: Definition<Options> = {
  description:
    'Prints a workload object as a WEC gets it: the manifest of its work, or, if it is not sent yet, the object of the WDS without what KubeStellar and custom transforms remove, and with the properties of the WEC in its templates. A template that uses more than {{.PROPERTY}} stays as it is, and the exit code is 1.',
  formats: ['yaml', 'json'],
  examples: [
    ['stellarctl workload render deployment/web -n shop --wec cluster1', 'as cluster1 gets it'],
  ],
  arguments: objectArguments,
  options: [
    namespaceOption,
    new Option('--wec <name>', 'the WEC').makeOptionMandatory(),
    ...wdsOptions(),
  ],
  async run(session, { namespace, wec }, words) {
    checkWecName(wec);
    const { parseObject } = await import('../../lib/workloads/delivery/workload.ts');
    const { render } = await import('../../lib/workloads/delivery/render.ts');
    const named = parseObject(words, namespace);
    const { manifest, work, errors } = await render(named, wec, await session.wds());
    await session.printDocument(manifest);
    session.progress.note(
      work === undefined
        ? `It is not sent to ${wec} yet: as KubeStellar 0.30 would send it.`
        : `From work ${work} in mailbox ${wec}.`,
    );
    session.incomplete(errors);
  },
};
