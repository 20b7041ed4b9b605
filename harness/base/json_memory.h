// jansson under the rule of memory.h: being out of memory ends the process.
//
// By itself jansson returns NULL, a json_array_append_new of that NULL is an error in its turn, and
// what nobody asked about is missing from a report, or from the body of a container: one argument,
// a limit of memory. Nor can every caller be asked to check: json_dumps (2.14) itself writes on
// without the key that it could not copy.
//
// Called once by each program that uses the harness, before its first JSON: by main() and by
// scenario_open(). Source: json_set_alloc_funcs, "Custom Memory Allocation" in jansson's manual.
#pragma once

void json_memory_init(void);
