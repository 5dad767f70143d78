import type { Option } from 'commander';
import { command } from '../../lib/core/command-line.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { partial } from '../../lib/core/next-step.ts';
import type { ReachedWec } from '../../lib/wecs/grant.ts';
import {
  type ConfirmedOptions,
  dryRunOption,
  type ItsOptions,
  itsOption,
  wecKubeconfigOption,
  yesOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { parseWecArguments } from '../common/wec-argument.ts';

export type GrantOptions = ItsOptions & ConfirmedOptions;

/** The common options of granting and revoking. */
export const grantOptions = (): Option[] => [wecKubeconfigOption(), itsOption(), yesOption(), dryRunOption()];

/** @throws StellarError `usage` */
export async function reachWec(session: Session, positional: readonly string[]): Promise<ReachedWec> {
  const parsed = parseWecArguments(positional);
  const [wec] = await session.wecs(parsed);
  if (wec?.kube === undefined)
    throw new StellarError('usage', 'The rights are on the WEC itself: give its context.', {
      next: [partial(command`stellarctl wec grant ${`${parsed[0]?.name ?? 'NAME'}=CONTEXT`} --from-errors`)],
    });
  const its = await session.its();
  session.announce(wec.kube, 'WEC');
  return { its, name: wec.name, kube: wec.kube };
}
