// MongoDB's and Redis's part of random_dataset.h.
#pragma once

#include "base/string_list.h"
#include "value/chance.h"

void random_mongodb(struct chance *chance, struct string_list *statements);
void random_redis(struct chance *chance, struct string_list *statements);
