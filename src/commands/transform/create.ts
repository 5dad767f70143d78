import { Option } from 'commander';
import { checkDnsName } from '../../lib/kube/object-names.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, repeatable, type WdsOptions, type WritingOptions, wdsOptions } from '../common/options.ts';
import { nextRefresh } from './transform-text.ts';

type Options = WdsOptions & WritingOptions & { select: string; remove: string[] };

export const definition: Definition<Options> = {
  description:
    'Creates a CustomTransform, which removes fields from all objects of a kind before they are sent to WECs. Existing works do not change until `policy refresh`.',
  timeout: '30s',
  examples: [
    [
      "stellarctl transform create no-replicas --select deployments --remove '$.spec.replicas'",
      'let each WEC set its own replicas',
    ],
  ],
  arguments: [['<name>', 'the name of the transform']],
  options: [
    new Option('--select <kind>', 'the kind, as KIND or KIND.GROUP').makeOptionMandatory(),
    repeatable('--remove <path>', 'a field, as $.spec.replicas or $.metadata.labels["any name"]').makeOptionMandatory(),
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, { select, remove }, [name = '']) {
    checkDnsName(name, 'a custom transform');
    const { transformSpec } = await import('../../lib/workloads/transforms.ts');
    const { createReported } = await import('../../lib/workloads/create-object.ts');
    const wds = await session.wds();
    const spec = await transformSpec(select, remove, wds);
    session.announce(wds.kube, 'WDS');
    const result = await createReported('transform', name, spec, wds, session.run);
    await session.finish([result]);
    await nextRefresh(session, result, wds);
  },
};
