/* The value of max_age: 1*10DIGIT (RFC 8461 section 3.2, erratum 7282). */
#include "wire/policy_body_internal.h"
#include "wire/txt_slice.h"

enum { DIGITS_MAX = 10 };

/* What is no number at all. */
static enum policy_body_flaw flaw_of_other(struct txt_slice value)
{
    size_t           digits = slice_span(value, is_digit);
    struct txt_slice unit = slice_trim(slice_behind(value, digits));

    if (digits > 0 && slice_all(unit, is_alpha))
        return BODY_AGE_UNIT;
    if (value.len > 1 && value.at[0] == '-' && slice_all(slice_behind(value, 1), is_digit))
        return BODY_AGE_NEGATIVE;
    return BODY_AGE_BAD;
}

/* What is a number, and still a slip; false: it is none. */
static bool flaw_of_number(uint64_t age, enum policy_body_flaw *flaw)
{
    static const struct {
        uint64_t              up_to;
        enum policy_body_flaw flaw;
    } slips[] = {
        { 0, BODY_AGE_ZERO },
        { POLICY_BODY_AGE_VERY_SHORT - 1, BODY_AGE_VERY_SHORT },
        { POLICY_BODY_AGE_SHORT - 1, BODY_AGE_SHORT },
    };

    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        if (age <= slips[i].up_to) {
            *flaw = slips[i].flaw;
            return true;
        }
    }
    *flaw = age == POLICY_BODY_AGE_MAX ? BODY_AGE_MAX : BODY_AGE_OVER;
    return age >= POLICY_BODY_AGE_MAX;
}

void policy_body_read_age(struct policy_body_reader *r, struct txt_slice field,
                          struct txt_slice value)
{
    uint64_t              age = 0;
    enum policy_body_flaw flaw;

    if (value.len == 0) {
        policy_body_tell(r, BODY_AGE_EMPTY, field);
        return;
    }
    if (!slice_all(value, is_digit) || value.len > DIGITS_MAX) {
        policy_body_tell(r, slice_all(value, is_digit) ? BODY_AGE_DIGITS : flaw_of_other(value),
                         value);
        return;
    }
    for (size_t i = 0; i < value.len; i++)
        age = age * 10 + (uint64_t)(value.at[i] - '0');
    r->body->has_age = true;
    r->body->max_age = age < UINT32_MAX ? (uint32_t)age : UINT32_MAX;
    if (flaw_of_number(age, &flaw))
        policy_body_tell(r, flaw, value);
}
