import type { MailboxContents } from '../../../src/lib/wecs/registration/mailbox.ts';
import type { WecFindings } from '../../../src/lib/wecs/registration/registration-checks.ts';
import { judgeRegistration } from '../../../src/lib/wecs/registration/registration-stages.ts';
import { hubEvidence, now } from './builders.ts';

/** What is found of a WEC of its1, and how far its registration is by that. */
export function wecFindings({
  contents,
  forbidden = new Set(),
  ...given
}: Omit<Partial<WecFindings>, 'contents'> & { contents?: Partial<MailboxContents> }): WecFindings {
  const registration = {
    name: 'cluster1',
    its: 'its1',
    hub: hubEvidence(),
    wec: undefined,
    now,
    ...given,
  };
  return {
    reports: judgeRegistration(registration, forbidden),
    contents: { namespace: undefined, works: [], addons: [], ...contents },
    forbidden,
    ...registration,
  };
}
