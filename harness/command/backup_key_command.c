// assay backup key: makes the pair of keys with which manifests are signed and checked.
#include "command/backup_command.h"

#include "command/command.h"
#include "verify/backup/signing_key.h"

#include <stdio.h>
#include <string.h>

static const char HELP[] =
    "usage: assay backup key FILE\n"
    "\n"
    "Makes a key with which `assay backup create --key FILE` signs what it makes, mode 0600, and\n"
    "FILE.pub, with which `assay backup verify --key FILE.pub` checks it. Keep both away from the\n"
    "backups: whoever can write both proves nothing.\n"
    "\n"
    "example:\n"
    "  assay backup key ~/.config/assay/backup.key\n"
    "\n"
    "exit status: 0 made, 2 usage, 3 one of the files is there already or cannot be written\n";

int command_backup_key(int argc, char **argv) {
    struct error problem = {0};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(HELP, stdout);
        return EXIT_PASSED;
    }
    if (argc != 2 || argv[1][0] == '-')
        return usage_error("backup key", "it takes the name of one new file");
    if (!signing_key_make(argv[1], &problem))
        return report_error(&problem);
    printf("%s signs, %s.pub checks\n", argv[1], argv[1]);
    return EXIT_PASSED;
}
