import { join } from 'node:path';

/** What the folder of a bed of real programs has where. */

/** The programs of images, by name. */
export const programFolder = (dir: string): string => join(dir, 'bin');

/** The table of connections of a plane (programs/overlay/syscall.go.txt). */
export const tableOf = (dir: string, plane: string): string =>
  join(dir, 'network', plane.replaceAll('/', '_'));

/** The CA file that pods trust. */
export const trustedFile = (dir: string): string => join(dir, 'internet', 'ca.crt');
