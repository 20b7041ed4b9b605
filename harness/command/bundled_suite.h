// What the bundled suites are about: one row each.
#pragma once

// The service of the devstack that the suite speaks to, whose log belongs to its failures; NULL:
// none, or not a bundled suite.
const char *bundled_suite_subject(const char *suite);
