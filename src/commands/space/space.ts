import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { spaceContextCommand } from './context.ts';
import { spaceDeleteCommand } from './delete.ts';
import { spaceGetCommand } from './get.ts';
import { spaceListCommand } from './list.ts';
import { spaceRepairCommand } from './repair.ts';

/** The commands that `its` and `wds` share. */
export const spaceCommands = (io: Io, type: 'its' | 'wds'): Command[] => [
  spaceListCommand(io, type),
  spaceGetCommand(io, type),
  spaceContextCommand(io, type),
  spaceRepairCommand(io, type),
  spaceDeleteCommand(io, type),
];
