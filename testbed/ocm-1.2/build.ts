import { requiredVersion } from '../plane/go-module.ts';
import { buildGoModule, type Log } from '../plane/go-program.ts';
import { chartOfHub, ocmPrograms, overlay } from '../programs/build.ts';

const module = import.meta.dirname;
const ocm = 'open-cluster-management.io/ocm';

/** The folder of the programs of OCM 1.2.1, which a hub of 1.0.0 is upgraded to: by name, and `cluster-manager`, its chart of a hub. */
export function buildOcm12(log: Log): Promise<string> {
  const settings = { [`${ocm}/pkg/version.versionFromGit`]: requiredVersion(module, ocm) };
  return buildGoModule(
    {
      module,
      overlays: [overlay],
      binaries: ocmPrograms.map((name) => ({ name, package: `${ocm}/cmd/${name}`, settings })),
      folders: chartOfHub,
      title: 'OCM 1.2.1',
      duration: '5 minutes the first time',
    },
    log,
  );
}
