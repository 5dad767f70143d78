import { buildGoModule, type Log } from '../plane/go-program.ts';
import { chartOfHub, ocm, overlay, programsModule } from '../programs/build.ts';

/**
 * The folder of the programs of OCM 1.0.1, which `its create` ends with: `ocm`, and `cluster-manager`, its chart of a hub. No registry
 * serves its module: these are those of 1.0.0 with an overlay that does what 1.0.1 changes, in words of its own. (Its two places: the
 * hub compares the whole cluster name of a renewal, and the webhook for works passes on what else is known of a user.)
 */
export const buildOcm101 = (log: Log): Promise<string> =>
  buildGoModule(
    {
      module: programsModule,
      overlays: [overlay, import.meta.dirname],
      binaries: [ocm('v1.0.1')],
      folders: chartOfHub,
      title: 'OCM 1.0.1',
      duration: 'about a minute, if OCM 1.0.0 has just been built',
    },
    log,
  );
