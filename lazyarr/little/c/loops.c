/* NumPy's own inner loops over little operands of one type.

   Most of what a ufunc takes for little data is finding the types, making an iterator and looking for errors that
   nobody asked for. The loops are the same, so the results are to the last bit. */

#include "fast_path.h"

/* The loops of a ufunc whose operands have one type, whatever the result's; NULL with an exception on failure. */
Loops *loops_of(PyObject *object, Weight weight)
{
    PyUFuncObject *ufunc = (PyUFuncObject *)object;
    Loops *found;
    int k, j, nin = ufunc->nin;
    if (!PyObject_TypeCheck(object, &PyUFunc_Type) || nin < 1 || nin > 2 || ufunc->nout != 1 || ufunc->core_enabled) {
        PyErr_SetString(PyExc_TypeError, "expected an element-wise ufunc of one or two operands and one result");
        return NULL;
    }
    found = PyMem_Calloc(1, sizeof(Loops));
    if (!found) {
        PyErr_NoMemory();
        return NULL;
    }
    found->nin = nin;
    found->weight = weight;
    /* (Integers raise where exponents are negative.) */
    found->of_floats = strcmp(ufunc->name, "power") == 0;
    for (k = 0; k < ufunc->ntypes; k++) {
        const char *types = ufunc->types + k * ufunc->nargs;
        int type = types[0];
        int has_loop = type >= 0 && type < TYPES && type != NPY_LONGDOUBLE && type != NPY_CLONGDOUBLE;
        for (j = 1; j < nin; j++)
            has_loop = has_loop && types[j] == type;
        has_loop = has_loop && types[nin] >= 0 && types[nin] < TYPES && ufunc->functions[k];
        if (has_loop && !found->loops[type].run) {
            found->loops[type].run = ufunc->functions[k];
            found->loops[type].data = ufunc->data ? (void *)ufunc->data[k] : NULL;
            found->loops[type].result = types[nin];
        }
    }
    return found;
}

/* The shape of operands that are broadcast; the number of axes, or -1 where they cannot be. */
static int broadcast(const Operand *operands, int count, npy_intp *shape)
{
    int nd = 0, axis, k;
    for (k = 0; k < count; k++)
        if (operands[k].nd > nd)
            nd = operands[k].nd;
    for (axis = 0; axis < nd; axis++) {
        shape[axis] = 1;
        for (k = 0; k < count; k++) {
            int own = axis - nd + operands[k].nd;
            npy_intp n = own < 0 ? 1 : operands[k].dims[own];
            if (n == 1 || n == shape[axis])
                continue;
            if (shape[axis] != 1)
                return -1;
            shape[axis] = n;
        }
    }
    return nd;
}

/* The strides of an operand along the axes of a shape: 0 where it is broadcast. */
static void strides_in(const Operand *operand, int nd, const npy_intp *shape, npy_intp *strides)
{
    int axis;
    for (axis = 0; axis < nd; axis++) {
        int own = axis - nd + operand->nd;
        strides[axis] = own < 0 || operand->dims[own] == 1 || shape[axis] < 2 ? 0 : operand->strides[own];
    }
}

/* The axes of a result from the outermost to the innermost in memory, as NumPy's iterator has them ("K" order): by the
   operands' strides, and as they stand where those differ or say nothing. */
static void order_axes(int nd, int count, npy_intp strides[][MOST_AXES], int *order)
{
    int axis, at, k;
    for (axis = nd - 1; axis >= 0; axis--) {
        /* `axis` goes in among those behind it, which are in order. */
        int place = axis;
        for (at = axis + 1; at < nd; at++) {
            int is_known = 0, is_inner = 0;
            for (k = 0; k < count; k++) {
                npy_intp own = labs(strides[k][axis]), other = labs(strides[k][order[at]]);
                if (!own || !other)
                    continue;
                is_inner = other <= own ? 0 : is_known ? is_inner : 1;
                is_known = 1;
            }
            if (is_known && !is_inner)
                break;
            place = is_known ? at : place;
        }
        for (at = axis; at < place; at++)
            order[at] = order[at + 1];
        order[place] = axis;
    }
}

/* Whether an operand has a shape, and its memory runs from the first axis to the last. */
static int is_fortran(const Operand *operand, int nd, const npy_intp *shape)
{
    return operand->nd == nd && !operand->own && operand->holder && PyArray_Check(operand->holder) &&
           PyArray_IS_F_CONTIGUOUS((PyArrayObject *)operand->holder) && PyArray_CompareLists(operand->dims, shape, nd);
}

/* A new array with its axes in an order in memory; all of the first axis first where `fortran` says so. */
static PyArrayObject *new_in_order(int nd, const npy_intp *shape, int type, const int *order, int fortran)
{
    PyArray_Descr *descr = PyArray_DescrFromType(type);
    npy_intp strides[MOST_AXES], size = PyDataType_ELSIZE(descr);
    int k;
    for (k = nd - 1; k >= 0; k--) {
        strides[order[k]] = size;
        size *= shape[order[k]] ? shape[order[k]] : 1;
    }
    return (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, descr, nd, shape, fortran ? NULL : strides, NULL,
                                                 fortran ? NPY_ARRAY_F_CONTIGUOUS : 0, NULL);
}

/* Put the axes of a shape, and of strides, in an order. */
static void turn(int nd, int count, npy_intp *shape, npy_intp strides[][MOST_AXES], const int *order)
{
    npy_intp before[MOST_AXES];
    int k, axis;
    memcpy(before, shape, sizeof(before));
    for (axis = 0; axis < nd; axis++)
        shape[axis] = before[order[axis]];
    for (k = 0; k < count; k++) {
        memcpy(before, strides[k], sizeof(before));
        for (axis = 0; axis < nd; axis++)
            strides[k][axis] = before[order[axis]];
    }
}

/* Run a loop over all elements. Axes that follow one another in all operands are one. (Inlined where the number of
   operands is known: rows may be short.) */
static inline void run_over(const Loop *loop, const int operands, char **data, int nd, const npy_intp *shape,
                            npy_intp strides[][MOST_AXES])
{
    npy_intp dims[MOST_AXES], steps[MOST_AXES][MOST_OPERANDS], at[MOST_AXES] = {0};
    char *here[MOST_OPERANDS] = {NULL}, *given[MOST_OPERANDS];
    int axis, k, count = 0;
    for (axis = 0; axis < nd; axis++) {
        int joins = count > 0;
        if (shape[axis] == 1)
            continue;
        for (k = 0; joins && k < operands; k++)
            joins = steps[count - 1][k] == strides[k][axis] * shape[axis];
        if (joins)
            dims[count - 1] *= shape[axis];
        else
            dims[count++] = shape[axis];
        for (k = 0; k < operands; k++)
            steps[count - 1][k] = strides[k][axis];
    }
    if (!count) {
        dims[count++] = 1;
        for (k = 0; k < operands; k++)
            steps[0][k] = 0;
    }
    for (k = 0; k < operands; k++)
        here[k] = data[k];
    for (;;) {
        npy_intp length[1] = {dims[count - 1]};
        memcpy(given, here, sizeof(given));
        loop->run(given, length, steps[count - 1], loop->data);
        for (axis = count - 2; axis >= 0; axis--) {
            for (k = 0; k < operands; k++)
                here[k] += steps[axis][k];
            if (++at[axis] < dims[axis])
                break;
            for (k = 0; k < operands; k++)
                here[k] -= steps[axis][k] * dims[axis];
            at[axis] = 0;
        }
        if (axis < 0)
            return;
    }
}

static void run(const Loop *loop, int operands, char **data, int nd, const npy_intp *shape,
                npy_intp strides[][MOST_AXES])
{
    if (operands == 3)
        run_over(loop, 3, data, nd, shape, strides);
    else
        run_over(loop, operands, data, nd, shape, strides);
}

/* The loop for operands, which get its type; NULL where there is none. */
static const Loop *chosen(const Loops *loops, Operand *operands)
{
    const Loop *loop;
    int k, arrays = 0;
    for (k = 0; k < loops->nin; k++)
        arrays += operands[k].is_array;
    if (!promote(operands, loops->nin) || (loops->of_floats && !PyTypeNum_ISFLOAT(operands[0].type)))
        return NULL;
    if (!loops->loops[operands[0].type].run && (operands[0].type == NPY_LONG || operands[0].type == NPY_INT))
        for (k = 0; k < loops->nin; k++)
            if (!cast_operand(&operands[k], NPY_DOUBLE))
                return NULL;
    loop = &loops->loops[operands[0].type];
    /* (Scalars of complex numbers are computed otherwise than arrays.) */
    return loop->run && (arrays || !PyTypeNum_ISCOMPLEX(operands[0].type)) ? loop : NULL;
}

/* What an element weighs, of operands of a type. */
double weight_of_type(const Loops *loops, int type)
{
    if (PyTypeNum_ISCOMPLEX(type))
        return loops->weight.complexes;
    return type == NPY_FLOAT ? loops->weight.singles : loops->weight.reals;
}

/* Whether so many elements, each of which is `part` of the work, are little. */
static int is_little(int nd, const npy_intp *shape, const Loops *loops, double part, int type)
{
    double weight = part * weight_of_type(loops, type), size = type == NPY_BOOL ? weight * known.bools : weight;
    int axis;
    for (axis = 0; axis < nd; axis++)
        size *= (double)shape[axis];
    return type != NPY_BOOL && weight <= 1.0 ? reaches(size) : size < known.limit;
}

PyObject *scalar_of_type(char *data, int type)
{
    PyArray_Descr *descr;
    PyObject *scalar;
    if (type == NPY_DOUBLE) {
        scalar = PyArrayScalar_New(Double);
        if (scalar)
            PyArrayScalar_ASSIGN(scalar, Double, *(double *)data);
        return scalar;
    }
    descr = PyArray_DescrFromType(type);
    scalar = PyArray_Scalar(data, descr, NULL);
    Py_DECREF(descr);
    return scalar;
}

/* Whether an array has the type and the shape of a result. */
static int is_like(PyArrayObject *array, int type, int nd, const npy_intp *shape)
{
    return PyArray_TYPE(array) == type && PyArray_NDIM(array) == nd &&
           PyArray_CompareLists(PyArray_DIMS(array), shape, nd);
}

static PyObject *computed(const Loops *loops, Operand *operands, PyArrayObject *spare)
{
    npy_intp shape[MOST_AXES], strides[MOST_OPERANDS][MOST_AXES];
    char *data[MOST_OPERANDS];
    const Loop *loop;
    PyArrayObject *found;
    int nd = broadcast(operands, loops->nin, shape), k, axis, order[MOST_AXES], is_turned = 0, fortran = 1;
    if (nd > 1) {
        /* (By the operands as they are given, whatever they are cast to.) */
        for (k = 0; k < loops->nin; k++)
            strides_in(&operands[k], nd, shape, strides[k]);
        order_axes(nd, loops->nin, strides, order);
        for (axis = 0; axis < nd; axis++)
            is_turned |= order[axis] != axis;
    }
    if (nd < 0 || !(loop = chosen(loops, operands)) || !is_little(nd, shape, loops, 1.0, operands[0].type))
        return NULL;
    for (k = 0; k < loops->nin; k++) {
        strides_in(&operands[k], nd, shape, strides[k]);
        data[k] = operands[k].data;
        fortran = fortran && (!operands[k].nd || is_fortran(&operands[k], nd, shape));
    }
    if (!nd) {
        union {
            npy_cdouble pair;
            npy_long whole;
        } value;
        data[loops->nin] = (char *)&value;
        run(loop, loops->nin + 1, data, 0, shape, strides);
        return scalar_of_type((char *)&value, loop->result);
    }
    if (is_turned)
        found = new_in_order(nd, shape, loop->result, order, fortran);
    else if (spare && is_like(spare, loop->result, nd, shape))
        found = (PyArrayObject *)Py_NewRef((PyObject *)spare);
    else
        found = (PyArrayObject *)PyArray_SimpleNew(nd, shape, loop->result);
    if (!found) {
        PyErr_Clear();
        return NULL;
    }
    for (axis = 0; axis < nd; axis++)
        strides[loops->nin][axis] = PyArray_STRIDES(found)[axis];
    data[loops->nin] = PyArray_BYTES(found);
    if (is_turned)
        turn(nd, loops->nin + 1, shape, strides, order);
    if (PyArray_SIZE(found))
        run(loop, loops->nin + 1, data, nd, shape, strides);
    return (PyObject *)found;
}

/* An array or scalar of NumPy's: a new one, or `spare`, an operand's, if that is given and has its shape and type; NULL
   without an exception where this is not computed here. */
PyObject *compute(const Loops *loops, Operand *operands, PyArrayObject *spare)
{
    PyObject *found;
    hold(operands, loops->nin);
    found = computed(loops, operands, spare);
    release(operands, loops->nin);
    return found;
}

/* Where the memory of elements begins and ends. */
static void extent(char *data, int nd, const npy_intp *dims, const npy_intp *strides, npy_intp size, char **begin,
                   char **end)
{
    int axis;
    *begin = *end = data;
    for (axis = 0; axis < nd; axis++) {
        npy_intp last = strides[axis] * (dims[axis] - 1);
        if (last < 0)
            *begin += last;
        else
            *end += last;
    }
    *end += size;
}

/* Whether two arrays that have elements may have some in the same memory. */
int may_overlap(PyArrayObject *x, PyArrayObject *y)
{
    char *begin, *end, *other_begin, *other_end;
    extent(PyArray_BYTES(x), PyArray_NDIM(x), PyArray_DIMS(x), PyArray_STRIDES(x), PyArray_ITEMSIZE(x), &begin, &end);
    extent(PyArray_BYTES(y), PyArray_NDIM(y), PyArray_DIMS(y), PyArray_STRIDES(y), PyArray_ITEMSIZE(y), &other_begin,
           &other_end);
    return begin < other_end && other_begin < end;
}

/* The greatest common divisor of a number and of the steps between an operand's elements. */
static npy_intp common_step(npy_intp step, const Operand *operand)
{
    int axis;
    for (axis = 0; axis < operand->nd; axis++)
        if (operand->dims[axis] > 1) {
            npy_intp other = operand->strides[axis] < 0 ? -operand->strides[axis] : operand->strides[axis], rest;
            for (; other; step = other, other = rest)
                rest = step % other;
        }
    return step;
}

/* Whether the elements of two operands lie between one another, as those of two columns do. */
static int interleave(const Operand *x, const Operand *y, int size)
{
    npy_intp step = common_step(common_step(0, x), y), apart = x->data - y->data;
    if (step < 2 * size)
        return 0;
    apart = (apart % step + step) % step;
    return apart >= size && apart <= step - size;
}

/* Whether a target may be written while an operand is read: apart from one another, or element by element the same.
 */
static int is_safe(const Operand *target, const Operand *operand, int size)
{
    char *begin, *end, *other_begin, *other_end;
    int axis;
    if (!operand->is_array)
        return 1;
    extent(target->data, target->nd, target->dims, target->strides, size, &begin, &end);
    extent(operand->data, operand->nd, operand->dims, operand->strides, size, &other_begin, &other_end);
    if (end <= other_begin || other_end <= begin || interleave(target, operand, size))
        return 1;
    if (target->data != operand->data || target->nd != operand->nd)
        return 0;
    for (axis = 0; axis < target->nd; axis++)
        if (target->dims[axis] != operand->dims[axis] || target->strides[axis] != operand->strides[axis])
            return 0;
    return 1;
}

/* The shape of a target into which operands are broadcast, and the strides of all; 0 where that is not done here. */
static int lay_out(const Operand *target, const Operand *operands, int count, int size, npy_intp *shape,
                   npy_intp strides[][MOST_AXES])
{
    int nd = target->nd, axis, k;
    for (axis = 0; axis < nd; axis++) {
        shape[axis] = target->dims[axis];
        strides[count][axis] = target->strides[axis];
    }
    for (k = 0; k < count; k++) {
        if (operands[k].nd > nd || !is_safe(target, &operands[k], size))
            return 0;
        for (axis = 0; axis < nd; axis++) {
            int own = axis - nd + operands[k].nd;
            npy_intp n = own < 0 ? 1 : operands[k].dims[own];
            if (n != 1 && n != shape[axis])
                return 0;
            strides[k][axis] = n == 1 ? 0 : operands[k].strides[own];
        }
    }
    return 1;
}

static int computed_into(const Loops *loops, Operand *operands, PyObject *array, PyArrayObject *target)
{
    npy_intp shape[MOST_AXES], strides[MOST_OPERANDS][MOST_AXES];
    char *data[MOST_OPERANDS];
    const Loop *loop = chosen(loops, operands);
    Operand into;
    int k;
    if (!loop || operands[0].own || !operand_of((PyObject *)target, &into) || into.type != loop->result)
        return 0;
    /* (While NumPy casts an operand, other threads may run, and make the array settle.) */
    if (operands[loops->nin - 1].own && data_to_write(array) != (PyObject *)target)
        return 0;
    if (!is_little(into.nd, into.dims, loops, known.in_place, operands[0].type) ||
        !lay_out(&into, operands, loops->nin, PyArray_ITEMSIZE(target), shape, strides))
        return 0;
    for (k = 0; k < loops->nin; k++)
        data[k] = operands[k].data;
    data[loops->nin] = into.data;
    if (PyArray_SIZE(target))
        run(loop, loops->nin + 1, data, into.nd, shape, strides);
    return 1;
}

/* Write a result into the data of an array, the first operand's own; 0 where this is not computed here. */
int compute_into(const Loops *loops, Operand *operands, PyObject *array, PyArrayObject *target)
{
    int done;
    hold(operands, loops->nin);
    done = computed_into(loops, operands, array, target);
    release(operands, loops->nin);
    return done;
}

#define COPY(name, type)                                                                                             \
    static void name(char **data, npy_intp const *dims, npy_intp const *steps, void *unused)                         \
    {                                                                                                                \
        npy_intp k, n = dims[0], from = steps[0], to = steps[1];                                                     \
        const char *source = data[0];                                                                                \
        char *target = data[1];                                                                                      \
        (void)unused;                                                                                                \
        if (from == (npy_intp)sizeof(type) && to == (npy_intp)sizeof(type)) {                                        \
            memmove(target, source, n * sizeof(type));                                                               \
            return;                                                                                                  \
        }                                                                                                            \
        for (k = 0; k < n; k++, source += from, target += to)                                                        \
            *(type *)target = *(const type *)source;                                                                 \
    }

typedef struct {
    npy_uint64 low, high;
} Sixteen;
COPY(copy_1, npy_uint8)
COPY(copy_2, npy_uint16)
COPY(copy_4, npy_uint32)
COPY(copy_8, npy_uint64)
COPY(copy_16, Sixteen)

/* Write a value of the same type into an array; 0 where that is not done here. */
int assign(PyArrayObject *target, Operand *value)
{
    npy_intp shape[MOST_AXES], strides[MOST_OPERANDS][MOST_AXES];
    int size = PyArray_ITEMSIZE(target);
    Loop loop = {size == 1   ? copy_1
                 : size == 2 ? copy_2
                 : size == 4 ? copy_4
                 : size == 8 ? copy_8
                             : copy_16,
                 NULL, 0};
    char *data[2];
    Operand into;
    if (!operand_of((PyObject *)target, &into) || into.type < 0 || size > 16 || !as_type(value, into.type))
        return 0;
    if (!lay_out(&into, value, 1, size, shape, strides))
        return 0;
    data[0] = value->data;
    data[1] = into.data;
    if (data[0] != data[1] && PyArray_SIZE(target))
        run(&loop, 2, data, into.nd, shape, strides);
    return 1;
}
