import { Option } from 'commander';
import type { NamedResult } from '../../lib/core/each-name.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { few } from '../../lib/core/text/words.ts';
import type { Forecast } from '../../lib/forecast/forecast.ts';
import type { RowEffect } from '../../lib/forecast/row.ts';
import { errorOf, ifSeen, ifSelected, tryRead } from '../../lib/kube/access.ts';
import type { Rehearsal } from '../../lib/maintenance/rehearse.ts';
import type { RestartPlan } from '../../lib/maintenance/restart-plan.ts';
import type { PolicySpec } from '../../lib/ocm/model/kubestellar-names.ts';
import type { PolicyChange } from '../../lib/policies/create-policy.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import type { Clusters } from './clusters.ts';
import type { Session } from './session.ts';

export interface RehearsalOptions {
  rehearse?: boolean;
  rehearsal?: boolean;
}

export const rehearsalOptions = () => [
  new Option(
    '--rehearse',
    'let KubeStellar try it first, whatever it does; with --dry-run, take it back afterwards',
  ),
  new Option('--no-rehearsal', 'do not let KubeStellar try first what takes workloads away'),
];
export const rareRehearsal = ['--rehearse', '--no-rehearsal'];

/** What is worth stopping the transports for. What is only blocked takes nothing away. */
const rehearsedEffects: readonly RowEffect[] = ['removed', 'recreated', 'crashes', 'unknown'];

/** How KubeStellar tries a policy first. @param spec as it is to be */
export function rehearsingPolicy(
  rehearsal: Rehearsing,
  { name, spec, wds }: { name: string; spec: PolicySpec; wds: Wds },
) {
  return {
    carryOut: rehearsal.carryOut,
    async prepare({ present, effects }: PolicyChange) {
      const { triedPolicy } = await import('../../lib/maintenance/tried.ts');
      const tried = triedPolicy(name, wds.name, present?.spec, spec);
      const what = `policy apply ${name}`;
      await rehearsal.prepare({ what, subject: wds.name, tried: [tried], effects });
    },
  };
}

/** What a command asks to be tried. */
type Trial = Omit<Rehearsal, 'bindings'> & { effects: Forecast };

/** A change that KubeStellar tries while nothing is sent, before it is carried out. */
export interface Rehearsing {
  /** Reads what that needs, if it is worth it. @throws StellarError with `--rehearse`: what keeps it from being tried */
  prepare(trial: Trial): Promise<void>;
  /** What the user is told before a question. */
  lines(): string[];
  /** Writes what was prepared last. What KubeStellar does not do as foreseen is taken back. */
  carryOut<Result extends Pick<NamedResult, 'error'>>(
    write: () => Promise<Result[]>,
  ): Promise<Result[]>;
  /** Tries what was prepared last, and takes it back: what follows takes too long to stop a transport for it. */
  tryOut(): Promise<void>;
}

/**
 * Takes back what rehearsals have left that were killed, as far as a hosting cluster shows them, and begins one.
 * @throws StellarError `usage`
 */
export async function openRehearsal(
  session: Session,
  { rehearse: isAsked = false, rehearsal = true }: RehearsalOptions,
): Promise<Rehearsing> {
  if (isAsked && !rehearsal)
    throw new StellarError('usage', 'Give --rehearse or --no-rehearsal, not both.');
  const { dryRun } = session.run;
  const clusters: Clusters = dryRun && isAsked ? session.live : session;
  const { run } = clusters;
  if (!run.dryRun) {
    const tools = ifSeen(await ifSelected(() => clusters.spaceTools()));
    if (tools !== undefined) {
      const { endRehearsals } = await import('../../lib/maintenance/rehearse.ts');
      await endRehearsals(tools, run);
    }
  }
  let prepared:
    | { rehearsal: Rehearsal; plans: readonly RestartPlan[]; effects: Forecast }
    | undefined;
  let why: string | undefined;
  const tryOut = async () => {
    if (prepared === undefined) return;
    const maintenance = await import('../../lib/maintenance/rehearse.ts');
    await maintenance.tryOut(prepared.plans, prepared.rehearsal, run);
    session.progress.note('KubeStellar makes the Bindings that were foreseen.');
  };
  return {
    async prepare({ effects, ...trial }) {
      [prepared, why] = [undefined, undefined];
      if (trial.tried.length === 0) return;
      const isWorth = effects.rows.some(({ effect }) => rehearsedEffects.includes(effect));
      if (!isAsked && (!rehearsal || run.dryRun || !isWorth)) return;
      const { planRehearsal, wdsesOf } = await import('../../lib/maintenance/rehearse.ts');
      const wanted = { ...trial, bindings: effects.bindings };
      const read = await tryRead(async () =>
        planRehearsal(wdsesOf(wanted), await clusters.spaceTools()),
      );
      const error = errorOf(read);
      if (error && (isAsked || error.code === 'hosting-busy')) throw error;
      const plans = ifSeen(read) ?? [];
      why = error?.why;
      if (isAsked && plans.length === 0) why = 'no transport runs that would send it';
      if (plans.length > 0) prepared = { rehearsal: wanted, plans, effects };
    },
    lines() {
      if (why !== undefined) return [`Not rehearsed: ${why}.`];
      if (prepared === undefined) return [];
      const names = few(prepared.plans.map(({ name }) => name)).join(', ');
      const crashes = prepared.effects.rows.some(({ effect }) => effect === 'crashes');
      return [
        `KubeStellar tries it first: for about 10 seconds, nothing of ${names} is sent to any WEC, whoever changes it.`,
        ...(crashes
          ? ['It may crash only once the objects are on the WECs, which that does not show.']
          : []),
      ];
    },
    tryOut,
    async carryOut(write) {
      if (prepared === undefined || dryRun) {
        await tryOut();
        return write();
      }
      const { rehearse } = await import('../../lib/maintenance/rehearse.ts');
      const writeAll = async () => {
        const results = await write();
        // What cannot be written for one is taken back for all.
        for (const { error } of results) if (error !== undefined) throw error;
        return results;
      };
      return rehearse(prepared.plans, prepared.rehearsal, writeAll, run);
    },
  };
}
