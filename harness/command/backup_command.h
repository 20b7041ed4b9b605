// The subcommands of `assay backup`, a file each.
#pragma once

#define BACKUP_ROOT "backups" // below the working directory: where backups lie unless --root says

int command_backup_key(int argc, char **argv);
int command_create_backup(int argc, char **argv);
int command_drill_backups(int argc, char **argv);
int command_list_backups(int argc, char **argv);
int command_show_backup(int argc, char **argv);
int command_rotate_backups(int argc, char **argv);
int command_report_backups(int argc, char **argv);
int command_verify_backup(int argc, char **argv);
