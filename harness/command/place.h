// Where assay's own files are: beside the build folder in a checkout, under share/ when installed.
#pragma once

#include "base/error.h"
#include "base/string_list.h"

// Folder of fixtures: $ASSAY_FIXTURES, <folder of the program>/../fixtures, or
// <folder of the program>/../share/assay/fixtures. The caller's.
bool place_fixtures(char **ret_folder, struct error *err) must_use;

// The bundled suites' executables, sorted by name: <folder of the program>/suites, or
// <folder of the program>/../libexec/assay/suites. That there is none is an error, which says where
// they were looked for.
bool place_suites(struct string_list *ret_paths, struct error *err) must_use;
