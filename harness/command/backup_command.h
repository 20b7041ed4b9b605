// The subcommands of `assay backup`, a file each.
#pragma once

int command_verify_backup(int argc, char **argv);
