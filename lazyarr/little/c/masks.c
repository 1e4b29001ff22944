/* What masks and positions select, and writes to it.

   NumPy looks for where a mask changes and copies what is between: with no order in the mask, every second look is
   mispredicted. Here a table says which of eight elements are selected, and four are copied at a time, of which as many
   count as there are; eight that are all false or all true, which masks with an order consist of, are taken at once. */

#include "fast_path.h"

#define WORD 8
#define ALL UINT64_C(0x0101010101010101)

typedef struct {
    uint64_t low, high;
} uint128;

static uint64_t word_at(const unsigned char *mask, npy_intp i)
{
    uint64_t word;
    memcpy(&word, mask + i, WORD);
    return word;
}

/* Words that are looked at together: whether all of fewer are the same is no good guess. */
#define BLOCK (4 * WORD)

static int is_nothing(const unsigned char *mask, npy_intp i)
{
    return !(word_at(mask, i) | word_at(mask, i + WORD) | word_at(mask, i + 2 * WORD) | word_at(mask, i + 3 * WORD));
}

static int is_all(const unsigned char *mask, npy_intp i)
{
    return (word_at(mask, i) & word_at(mask, i + WORD) & word_at(mask, i + 2 * WORD) & word_at(mask, i + 3 * WORD)) ==
           ALL;
}

/* Which places of a word are true, by its bits, and after the last one that again; how many these are. And which of so
   many values the k-th write takes, the last one again after it. */
static unsigned char places[256][WORD], counts[256], values_of[WORD + 1][WORD];

void prepare_masks(void)
{
    int bits, k, found;
    for (bits = 1; bits < 256; bits++) {
        for (k = found = 0; k < WORD; k++)
            if (bits >> k & 1)
                places[bits][found++] = (unsigned char)k;
        counts[bits] = (unsigned char)found;
        for (k = found; k < WORD; k++)
            places[bits][k] = places[bits][found - 1];
    }
    for (found = 1; found <= WORD; found++)
        for (k = 0; k < WORD; k++)
            values_of[found][k] = (unsigned char)(k < found ? k : found - 1);
}

/* A bit for each byte that is not 0, which need not be 1. */
static int bits_of(uint64_t word)
{
    const uint64_t rest = UINT64_C(0x7F7F7F7F7F7F7F7F);
    word = ((((word & rest) + rest) | word) >> 7) & ALL;
    return (int)((word * UINT64_C(0x0102040810204080)) >> 56);
}

/* (What is written beyond the last selected element of a word belongs to the next ones, of which there are `count`.) */
#define SELECT_ONE(k) out[j + (k)] = x[i + place[k]];
/* (Of a word that is all false the first element is written as it is.) */
#define PUT_ONE(k) x[i + place[k]] = from[value[k]];
#define FOUR(do_one, from) do_one(from) do_one(from + 1) do_one(from + 2) do_one(from + 3)
#define BLOCKS(copy_run, begin, do_one, copy_one)                                                                    \
    while (j < count) {                                                                                              \
        npy_intp first = i, end = i + BLOCK < n ? i + BLOCK : n;                                                     \
        if (i + BLOCK <= n && is_nothing(mask, i)) {                                                                 \
            i += BLOCK;                                                                                              \
            continue;                                                                                                \
        }                                                                                                            \
        if (i + BLOCK > n || j + BLOCK > count) {                                                                    \
            for (; i < end; i++)                                                                                     \
                if (mask[i])                                                                                         \
                    copy_one;                                                                                        \
            continue;                                                                                                \
        }                                                                                                            \
        for (; i + BLOCK <= n && i - first <= count - j - BLOCK && is_all(mask, i); i += BLOCK)                      \
            ;                                                                                                        \
        if (i > first) {                                                                                             \
            copy_run;                                                                                                \
            j += i - first;                                                                                          \
            continue;                                                                                                \
        }                                                                                                            \
        for (; i < end; i += WORD) {                                                                                 \
            int bits = bits_of(word_at(mask, i)), found = counts[bits];                                              \
            const unsigned char *place = places[bits];                                                               \
            begin;                                                                                                   \
            FOUR(do_one, 0)                                                                                          \
            if (found > 4) {                                                                                         \
                FOUR(do_one, 4)                                                                                      \
            }                                                                                                        \
            j += found;                                                                                              \
        }                                                                                                            \
    }
#define SELECT(type)                                                                                                 \
    static void select_##type(const unsigned char *mask, npy_intp n, const type *x, type *out, npy_intp count)       \
    {                                                                                                                \
        npy_intp i = 0, j = 0;                                                                                       \
        BLOCKS(memcpy(out + j, x + first, (i - first) * sizeof(type)), , SELECT_ONE, out[j++] = x[i])                \
    }
#define PUT(type)                                                                                                    \
    static void put_##type(const unsigned char *mask, npy_intp n, type *x, const type *values, npy_intp count)       \
    {                                                                                                                \
        npy_intp i = 0, j = 0;                                                                                       \
        BLOCKS(memcpy(x + first, values + j, (i - first) * sizeof(type)),                                            \
               const unsigned char *value = values_of[found]; const type *from = found ? values + j : x + i,         \
               PUT_ONE, x[i] = values[j++])                                                                          \
    }
SELECT(uint8_t)
SELECT(uint16_t)
SELECT(uint32_t)
SELECT(uint64_t)
SELECT(uint128)
PUT(uint8_t)
PUT(uint16_t)
PUT(uint32_t)
PUT(uint64_t)
PUT(uint128)

/* A statement for the type of elements that have as many bytes as a row, or another one. */
#define BY_WIDTH(as, otherwise)                                                                                      \
    switch (bytes) {                                                                                                 \
    case 1: as(uint8_t) break;                                                                                       \
    case 2: as(uint16_t) break;                                                                                      \
    case 4: as(uint32_t) break;                                                                                      \
    case 8: as(uint64_t) break;                                                                                      \
    case 16: as(uint128) break;                                                                                      \
    default: otherwise;                                                                                              \
    }
#define SELECT_AS(type) select_##type(chosen, n, (const type *)from, (type *)to, count);
#define PUT_AS(type) put_##type(chosen, n, (type *)to, (const type *)from, count);

/* Rows of so many bytes, by runs of selected ones: from or to where they are next to each other. */
static void copy_rows(const unsigned char *mask, npy_intp n, char *x, char *rows, npy_intp bytes, int put)
{
    npy_intp i = 0, first;
    while (i < n) {
        if (!mask[i]) {
            i++;
            continue;
        }
        for (first = i; i < n && mask[i]; i++)
            ;
        if (put)
            memcpy(x + first * bytes, rows, (i - first) * bytes);
        else
            memcpy(rows, x + first * bytes, (i - first) * bytes);
        rows += (i - first) * bytes;
    }
}

/* Elements and masks as they are needed here; `bytes`: of a row, which the mask has one element for. */
static int applies(PyArrayObject *x, PyArrayObject *mask, npy_intp *bytes)
{
    int axis, nd = PyArray_NDIM(mask);
    if (!PyArray_ISBOOL(mask) || !PyArray_ISNUMBER(x) + !PyArray_ISBOOL(x) > 1 || !nd || nd > PyArray_NDIM(x) ||
        !PyArray_IS_C_CONTIGUOUS(x) || !PyArray_IS_C_CONTIGUOUS(mask) || !PyArray_ISBEHAVED_RO(x))
        return 0;
    *bytes = PyArray_ITEMSIZE(x);
    for (axis = 0; axis < PyArray_NDIM(x); axis++) {
        if (axis >= nd)
            *bytes *= PyArray_DIM(x, axis);
        else if (PyArray_DIM(x, axis) != PyArray_DIM(mask, axis))
            return 0;
    }
    return 1;
}

/* Positions from which on `numpy.take` takes less time than an index. */
#define MANY 2000

/* ``x[positions]``: what `numpy.take` gives, in less time; NULL where that is not done here. */
PyObject *take_by(PyArrayObject *x, PyArrayObject *positions)
{
    PyObject *found;
    if (PyArray_TYPE(positions) != NPY_INT64 || PyArray_SIZE(positions) < MANY || !PyArray_NDIM(x) || !PyArray_IS_C_CONTIGUOUS(x) ||
        !PyArray_ISBEHAVED_RO(x) || !PyArray_IS_C_CONTIGUOUS(positions))
        return NULL;
    found = PyArray_TakeFrom(x, (PyObject *)positions, 0, NULL, NPY_RAISE);
    if (!found)
        PyErr_Clear(); /* (An index NumPy says more of.) */
    return found;
}

/* ``x[mask]``, a new array; NULL where that is not done here, with an exception if there is no memory. */
PyObject *select_by(PyArrayObject *x, PyArrayObject *mask)
{
    npy_intp bytes, count, n, dims[NPY_MAXDIMS];
    PyArrayObject *found;
    const unsigned char *chosen = (const unsigned char *)PyArray_DATA(mask);
    char *from = PyArray_BYTES(x), *to;
    int axis, nd;
    if (!applies(x, mask, &bytes))
        return NULL;
    n = PyArray_SIZE(mask);
    count = PyArray_CountNonzero(mask);
    nd = PyArray_NDIM(x) - PyArray_NDIM(mask) + 1;
    dims[0] = count;
    for (axis = 1; axis < nd; axis++)
        dims[axis] = PyArray_DIM(x, PyArray_NDIM(mask) + axis - 1);
    Py_INCREF(PyArray_DESCR(x));
    found = (PyArrayObject *)PyArray_Empty(nd, dims, PyArray_DESCR(x), 0);
    if (!found)
        return NULL;
    to = PyArray_BYTES(found);
    BY_WIDTH(SELECT_AS, copy_rows(chosen, n, from, to, bytes, 0))
    return (PyObject *)found;
}

/* ``x[mask] = values``, of a row for each element that is selected; 0 where that is not done here. */
int put_by(PyArrayObject *x, PyArrayObject *mask, PyArrayObject *values)
{
    npy_intp bytes, count, n;
    const unsigned char *chosen = (const unsigned char *)PyArray_DATA(mask);
    char *to = PyArray_BYTES(x), *from = PyArray_BYTES(values);
    int axis, nd;
    if (!applies(x, mask, &bytes) || !PyArray_ISWRITEABLE(x) || PyArray_TYPE(x) != PyArray_TYPE(values) ||
        !PyArray_IS_C_CONTIGUOUS(values) || !PyArray_ISBEHAVED_RO(values) || may_overlap(x, values) || may_overlap(x, mask))
        return 0;
    n = PyArray_SIZE(mask);
    count = PyArray_CountNonzero(mask);
    nd = PyArray_NDIM(x) - PyArray_NDIM(mask) + 1;
    if (PyArray_NDIM(values) != nd || PyArray_DIM(values, 0) != count)
        return 0;
    for (axis = 1; axis < nd; axis++)
        if (PyArray_DIM(values, axis) != PyArray_DIM(x, PyArray_NDIM(mask) + axis - 1))
            return 0;
    BY_WIDTH(PUT_AS, copy_rows(chosen, n, to, from, bytes, 1))
    return 1;
}

/* An operand of `where_of`: elements of the result's type, one after the other or one alone. */
typedef struct {
    const char *data;
    int step;
    union {
        double as_double;
        float as_float;
        npy_int64 as_int64;
    } value;
} Choice;

/* The type of the result where that is clear: of the arrays, or of Python's numbers alone; else -1. */
static int type_of_choices(PyObject *x, PyObject *y)
{
    int arrays = PyArray_CheckExact(x), floats = PyFloat_CheckExact(x) + PyFloat_CheckExact(y);
    if (arrays && PyArray_CheckExact(y))
        return PyArray_TYPE((PyArrayObject *)x) == PyArray_TYPE((PyArrayObject *)y) ? PyArray_TYPE((PyArrayObject *)x)
                                                                                     : -1;
    if (!arrays && !PyArray_CheckExact(y))
        return floats + PyLong_CheckExact(x) + PyLong_CheckExact(y) < 2 ? -1 : floats ? NPY_DOUBLE : NPY_INT64;
    return PyArray_TYPE((PyArrayObject *)(arrays ? x : y));
}

static int choice_of(PyObject *x, PyArrayObject *mask, int type, Choice *found)
{
    found->step = PyArray_CheckExact(x);
    if (found->step) {
        PyArrayObject *array = (PyArrayObject *)x;
        found->data = PyArray_BYTES(array);
        return PyArray_NDIM(array) == PyArray_NDIM(mask) && PyArray_IS_C_CONTIGUOUS(array) &&
               PyArray_ISBEHAVED_RO(array) &&
               PyArray_CompareLists(PyArray_DIMS(array), PyArray_DIMS(mask), PyArray_NDIM(mask));
    }
    found->data = (const char *)&found->value;
    if (type == NPY_INT64) {
        found->value.as_int64 = PyLong_CheckExact(x) ? PyLong_AsLongLong(x) : 0;
        return PyLong_CheckExact(x) && !PyErr_Occurred();
    }
    if ((type != NPY_DOUBLE && type != NPY_FLOAT) || !(PyFloat_Check(x) || PyLong_CheckExact(x)) ||
        (type == NPY_FLOAT && !PyFloat_CheckExact(x) && !PyLong_CheckExact(x)))
        return 0; /* (NumPy's float64 is a float of Python's, and decides the type.) */
    found->value.as_double = PyFloat_AsDouble(x);
    if (PyErr_Occurred())
        return 0;
    if (type == NPY_FLOAT) {
        double given = found->value.as_double;
        found->value.as_float = (float)given;
        if (npy_isinf(found->value.as_float) && !npy_isinf(given))
            return 0; /* (NumPy warns.) */
    }
    return 1;
}

#define WHERE(type, sx, sy)                                                                                          \
    for (i = 0; i < n; i++) {                                                                                        \
        type chosen = (type)((type)0 - (type)(mask[i] != 0));                                                        \
        out[i] = (type)((x[i * (sx)] & chosen) | (y[i * (sy)] & (type)~chosen));                                     \
    }
#define WHERES(type)                                                                                                 \
    static void where_##type(const unsigned char *mask, npy_intp n, const type *restrict x, int sx,                  \
                             const type *restrict y, int sy, type *restrict out)                                     \
    {                                                                                                                \
        npy_intp i;                                                                                                  \
        if (sx && sy)                                                                                                \
            WHERE(type, 1, 1)                                                                                        \
        else if (sx)                                                                                                 \
            WHERE(type, 1, 0)                                                                                        \
        else if (sy)                                                                                                 \
            WHERE(type, 0, 1)                                                                                        \
        else                                                                                                         \
            WHERE(type, 0, 0)                                                                                        \
    }
WHERES(uint8_t)
WHERES(uint16_t)
WHERES(uint32_t)
WHERES(uint64_t)

/* ``numpy.where(mask, x, y)`` of arrays of one shape and type and numbers of it; NULL where that is not done here. */
static PyObject *blended(PyObject *condition, PyObject *x, PyObject *y)
{
    PyArrayObject *mask = (PyArrayObject *)condition, *found;
    Choice one, other;
    int type;
    if (!PyArray_CheckExact(condition) || !PyArray_ISBOOL(mask) || !PyArray_NDIM(mask) ||
        !PyArray_IS_C_CONTIGUOUS(mask) || (type = type_of_choices(x, y)) < 0 || type >= NPY_LONGDOUBLE ||
        !choice_of(x, mask, type, &one) || !choice_of(y, mask, type, &other)) {
        PyErr_Clear();
        return NULL;
    }
    found = (PyArrayObject *)PyArray_SimpleNew(PyArray_NDIM(mask), PyArray_DIMS(mask), type);
    if (!found)
        return NULL;
#define CASE(type)                                                                                                   \
    case sizeof(type):                                                                                               \
        where_##type((const unsigned char *)PyArray_DATA(mask), PyArray_SIZE(mask), (const type *)one.data, one.step, \
                     (const type *)other.data, other.step, (type *)PyArray_DATA(found));                             \
        break;
    switch (PyArray_ITEMSIZE(found)) {
        CASE(uint8_t)
        CASE(uint16_t)
        CASE(uint32_t)
        CASE(uint64_t)
    }
#undef CASE
    return (PyObject *)found;
}

/* `numpy.where`, by position. */
PyObject *where_of(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *found = count == 3 ? blended(args[0], args[1], args[2]) : NULL;
    (void)module;
    if (found || PyErr_Occurred())
        return found;
    if (count == 1)
        return PyArray_Where(args[0], NULL, NULL);
    if (count == 3)
        return PyArray_Where(args[0], args[1], args[2]);
    return PyErr_Format(PyExc_ValueError, "either both or neither of x and y should be given");
}
