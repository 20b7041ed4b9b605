// How a suite tells the runner what its tests came to.
//
// Lines of JSON in the file that $ASSAY_RESULTS (RUN_RESULTS_VARIABLE) names:
//   {"planned": 14}                       once, before the first test
//   {"suite": "postgres", "test": "refuses_a_duplicate_key", "outcome": "passed", "seconds": 0.012,
//    "signal": 0, "exit_status": 0, "reason": "not verified: …", "failures": [{"message", "file",
//    "line"}]}
//   {"ended": 14}                         once, after the last
// outcome: passed, failed, skipped, crashed, "timed out", exited.
#pragma once

#define RECORDER_NOT_VERIFIED "not verified: "
#define RECORDER_NOT_APPLICABLE "not applicable: "

// Does nothing; referring to it links the recorder's hooks into a suite.
void recorder_link(void);
