/** Where the one-file executable begins; what npm installs begins with bin/stellarctl.cjs. */
import { main } from './cli.ts';

void main(process.argv);
