import { checkDnsName } from '../../lib/core/object-names.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, wdsOptions } from '../common/options.ts';

export const definition: Definition = {
  description:
    'KubeStellar does not update existing works when custom transforms or the properties of WECs change. This removes the generation that is recorded on each work of the policy, which makes the transport rewrite the work, and waits for that. Objects on WECs keep running.',
  timeout: '1m',
  examples: [['stellarctl policy refresh shop', 'after a change of transforms or properties']],
  arguments: [['<name>', 'the policy']],
  options: [...wdsOptions(), dryRunOption()],
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a binding policy');
    const { refreshPolicy } = await import('../../lib/policies/refresh-policy.ts');
    const wds = await session.wds();
    if (wds.its.state === 'seen') session.announce(wds.its.value.kube);
    await session.finish([await refreshPolicy(name, wds, session.run)]);
  },
};
