#include "engine/archive.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/real_fixture.h"

#include <string.h>
#include <unistd.h>

REAL_SUITE(archive_real);

static bool append_bytes(void *context, const void *bytes, size_t length, struct error *err) {
    (void)err;
    text_append_bytes(context, bytes, length);
    return true;
}

Test(archive_real, puts_a_folder_into_a_container_as_it_is) {
    autofree_string char *script = path_join(test.folder, "sub/run.sh");
    autofree_string char *sub = path_join(test.folder, "sub");
    autofree_string char *link = path_join(test.folder, "link");
    must(folder_make(sub, 0755, &test.err));
    must(file_write_atomic(script, "#!/bin/sh\necho ran\n", 19, 0750, &test.err));
    cr_assert(symlink("sub/run.sh", link) == 0);
    int fd = -1;
    const struct archive_extra extra = {"secret", "hidden", 6, 0600, NULL};
    must(archive_folder(test.folder, &extra, 1, &fd, &test.err));
    const char *id = start_idle();
    must(container_put_archive(test.engine, id, "/srv", fd, &test.err));
    must(container_put_archive(test.engine, id, "/opt", fd, &test.err)); // the same again
    close(fd);
    const char *seen = run_in(id, "/opt/link; cd /srv; stat -c '%n %a %U %Y' sub/run.sh secret; "
                                  "readlink link; cat secret");
    cr_expect_str_eq(seen, "ran\nsub/run.sh 750 root 0\nsecret 600 root 0\nsub/run.sh\nhidden");
}

Test(archive_real, gets_back_what_it_put) {
    char *content = memory_new(3 * MEBIBYTE, 1);
    memset(content, 'x', 3 * MEBIBYTE);
    const struct archive_extra extra = {"big", content, 3 * MEBIBYTE, 0644, NULL};
    const int fd = archive_of(&extra, 1);
    const char *id = create("true", NULL);
    must(container_put_archive(test.engine, id, "/", fd, &test.err));
    close(fd);
    struct text tar = {0};
    must(container_get_archive(test.engine, id, "/big", append_bytes, &tar, &test.err));
    cr_assert(tar.length > 3 * MEBIBYTE);
    // One header of 512 bytes (POSIX ustar), then the content.
    cr_expect_str_eq(tar.bytes, "big");
    cr_expect(memcmp(tar.bytes + 512, content, 3 * MEBIBYTE) == 0);
    text_done(&tar);
    free(content);
}

Test(archive_real, says_404_of_a_path_that_is_not_there) {
    const struct archive_extra extra = {"file", "x", 1, 0, NULL};
    const char *id = create("true", NULL);
    struct text tar = {0};
    cr_assert(
        !container_get_archive(test.engine, id, "/no/such/file", append_bytes, &tar, &test.err));
    cr_expect_eq(test.err.code, 404);
    const int fd = archive_of(&extra, 1);
    cr_assert(!container_put_archive(test.engine, id, "/no/such/folder", fd, &test.err));
    cr_expect_eq(test.err.code, 404);
    close(fd);
}

Test(archive_real, hears_a_refusal_while_it_is_still_sending) {
    char *content = memory_new(32 * MEBIBYTE, 1);
    const struct archive_extra extra = {"big", content, 32 * MEBIBYTE, 0, NULL};
    const char *id = create("true", NULL);
    const int fd = archive_of(&extra, 1);
    for (int i = 0; i < 5; i++) {
        cr_assert(!container_put_archive(test.engine, id, "/no/such/folder", fd, &test.err));
        cr_expect_eq(test.err.code, 404, "%s", test.err.message);
    }
    close(fd);
    free(content);
}
