// Which rows differ and how, in words, of what two readings found: lines that follow the object's
// difference ("table public.orders: 1 row extra (101 of 100)").
//
//     extra: id=17                                          a row that the other side has not
//     missing: id=4                                         a row that is not there
//     changed: id=9 (total, note)                           same key, other values
//
// Exact of two servers. Against sums alone, whose rows are gone:
//     extra: id=17                     one row too many, whose own sum is the difference; or a
//                                      bucket that was empty
//     changed: id=9                    the only row of its bucket; if it is not another's in its
//                                      place
//     changed: at least 1 of id=3, id=259 (bucket 7)     as many rows, but others
//     extra: 2 of a=1, a=7, a=9 (bucket 12)              candidates: all rows of the bucket
//     missing: 1 row of bucket 17; of the keys from id=1 to 100 it has not: id=4, id=37
//                                      keys that are one integer, and would fall into that bucket
// A row of a table without a primary key has no name, and is only counted.
//
// ROW_FINDINGS_SHOWN rows an object, then "and 12 more". Never a value, only keys.
#pragma once

#include "base/text.h"
#include "value/row_notes.h"

#define ROW_FINDINGS_SHOWN 20
#define ROW_FINDINGS_NUMBERS 1000000 // keys that may lie between the least and the greatest

// Each line begins with "\n    ". The notes are of all buckets that differ; they are put into
// another order, and the larger of two samples is cut to the smaller.
void row_findings_by_sums(const struct row_content *expected, const struct row_content *actual,
                          struct row_notes *notes, struct text *text);
void row_findings_by_rows(struct row_notes *expected, struct row_notes *actual, struct text *text);
