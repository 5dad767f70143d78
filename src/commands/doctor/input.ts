import { StellarError } from '../../lib/core/errors.ts';
import { command, partial } from '../../lib/core/next-step.ts';
import type { DoctorInput } from '../../lib/doctor/doctor.ts';
import type { Examined } from '../../lib/doctor/subject.ts';
import { ifSelected } from '../../lib/kube/access.ts';
import { selectClusters } from '../common/installation.ts';
import type { SessionOptions } from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { parseWecArguments, withContext } from '../common/wec-argument.ts';
import { checkAddresses, type JoiningOptions, toJoinOptions } from '../wec/join-options.ts';

export interface DoctorOptions extends SessionOptions, JoiningOptions {
  list?: boolean;
  pre?: boolean;
  for?: 'init' | 'join';
  probe?: boolean;
  wait?: boolean;
  skip?: string[];
  failOn: 'warn' | 'fail';
  fix?: boolean;
}

/** Takes one reading of what a command line of doctor selects. */
type Examine = () => Promise<Examined[]>;

/** Examines what an installation, or the join of WECs to the ITS that a join would use, needs before it starts. */
export async function preInput(
  session: Session,
  options: DoctorOptions,
  positional: readonly string[],
): Promise<Examine> {
  const { hostingContext, probe, for: goal = positional.length > 0 ? 'join' : 'init' } = options;
  if (goal === 'init' && options.its !== undefined)
    throw new StellarError(
      'usage',
      '--its is for a join: give the clusters to register, NAME=CONTEXT.',
    );
  checkAddresses(options);
  const joinOptions = await toJoinOptions(options);
  const wecs = await session.wecs(parseWecArguments(positional).map(withContext));
  const { checkInit, checkJoin } = await import('../../lib/doctor/preflight.ts');
  const { chooseHosting } = await import('../../lib/spaces/hosting/hosting.ts');
  const kubeconfig = await session.kubeconfig();
  const select = async () =>
    session.connect(chooseHosting(hostingContext, session.io.env, kubeconfig).context);
  const hosting = goal === 'init' ? await ifSelected(select) : undefined;
  const its = goal === 'join' ? await ifSelected(() => session.its()) : undefined;
  if ((goal === 'join' || probe) && (its === undefined || wecs.length === 0))
    throw new StellarError(
      'usage',
      `${probe ? '--probe' : 'A join'} needs the clusters to register, and their ITS.`,
      partial(command`stellarctl doctor --pre ${probe ? '--probe' : []} NAME=CONTEXT --its ITS`),
    );
  const input = { programs: session.programs, hosting, its, wecs, joinOptions };
  return () => (goal === 'init' ? checkInit(input, session.run) : checkJoin(input, session.run));
}

/**
 * Examines the installation. What acts on clusters takes only those that the user has named.
 * @throws StellarError `usage` if no cluster is selected
 */
export async function examination(
  session: Session,
  { fix }: DoctorOptions,
  positional: readonly string[],
): Promise<Examine> {
  const input = await doctorInput(session, positional);
  const contextsNamed = fix ? undefined : (name: string) => session.contextsNamed(name);
  const { examine } = await import('../../lib/doctor/doctor.ts');
  return () => examine({ ...input, contextsNamed });
}

/** Returns the clusters that a command line selects. @throws StellarError `usage` if it selects none */
export async function doctorInput(
  session: Session,
  positional: readonly string[],
): Promise<DoctorInput> {
  const wecs = await session.wecs(parseWecArguments(positional));
  return { ...(await selectClusters(session)), wecs };
}
