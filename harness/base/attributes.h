// Compiler attributes under short names. gcc and clang both know all of them.
#pragma once

#define must_use __attribute__((warn_unused_result))
#define printf_like(format_at, arguments_at) \
    __attribute__((format(printf, format_at, arguments_at)))
#define unused_parameter __attribute__((unused))
