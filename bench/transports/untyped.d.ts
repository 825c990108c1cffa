// Contestants that come without types.
declare module 'posix-mq'
declare module 'svmq'
