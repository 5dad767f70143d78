import { type Problem, problem } from '../core/next-step.ts';
import { type RunningVersion, versionsApart, versionWords } from './running-versions.ts';

/** The running versions of one part of an installation. The fields are an interface: docs/output.md. */
interface PartVersions {
  name: string;
  versions: RunningVersion[];
}

/** The running versions of an installation, part by part. */
export interface InstalledVersions {
  hosting: (PartVersions & { hooksVersion: string | null }) | null;
  itses: readonly PartVersions[];
  wdses: readonly PartVersions[];
  /** Each with the OCM version of its ITS; null if that is unknown. */
  wecs: readonly (PartVersions & { hubVersion: string | null })[];
}

/** Whether versions differ by more than a patch. Values that are not versions of that form are not compared. */
export function isMinorApart(one: string, other: string): boolean {
  const [own, others] = [one, other].map((version) => /^\d+\.\d+(?=\.)/.exec(version)?.[0]);
  return own !== undefined && others !== undefined && own !== others;
}

/** Versions that do not fit together: a part that does not run its wanted version, and agents of another minor version than their hub. */
export function versionSkews({ hosting, itses, wdses, wecs }: InstalledVersions): Problem[] {
  const parts = [...(hosting === null ? [] : [hosting]), ...itses, ...wdses, ...wecs];
  return [
    ...parts.flatMap(({ name, versions }) => versionsApart(name, versions) ?? []).map(versionSkew),
    ...wecs.flatMap(({ name, versions, hubVersion }) => {
      const others = versions.filter(({ running }) =>
        running?.some((version) => isMinorApart(version, hubVersion ?? '')),
      );
      const words = versionWords(others).join(', ');
      return others.length === 0 ? [] : [versionSkew(`${name} has ${words}; its ITS runs OCM ${hubVersion}.`)];
    }),
  ];
}

const versionSkew = (message: string): Problem => problem('versions-apart', message);
